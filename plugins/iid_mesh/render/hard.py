"""Which face is in front, and what is seen of what its corners have: without gradients to where
the points are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iid_mesh.render.edges import barycentric, outlines
from iid_mesh.render.pairs import Pairs, Rows, Scene, near, pairs_of


@dataclass(frozen=True, slots=True)
class Visible:
    """What B pictures show of B meshes.

    ``face`` [B,S,S] int64 is the face in front, -1 where there is none; ``barycentric`` [B,S,S,3]
    are the shares of its corners, and ``depth`` [B,S,S] is z, both 0 where there is none."""

    face: Tensor
    barycentric: Tensor
    depth: Tensor

    @property
    def mask(self) -> Tensor:
        """Where a face is seen, bool [B,S,S]."""
        return self.face >= 0


@torch.no_grad()
def visible(points: Tensor, faces: Tensor, size: int) -> Visible:
    """The nearest faces at the middles of pixels: projected points [B,V,3] and faces [F,3]. Faces
    count from both sides. DataError where points are not finite."""
    scene = Scene.of(points, faces, size)
    pieces = [_in_rows(scene, rows) for rows in near(scene, 0.0)]
    faces_seen, shares, depths = zip(*pieces, strict=True)
    pictures = (scene.batch, size, size)
    return Visible(
        face=torch.cat(faces_seen).view(pictures),
        barycentric=torch.cat(shares).view(*pictures, 3),
        depth=torch.cat(depths).view(pictures),
    )


def seen_vertices(seen: Visible, faces: Tensor) -> Tensor:
    """Which vertices a seen face of ``faces`` [F,3] has, bool [B,V]."""
    count = int(faces.max()) + 1
    face = seen.face.clamp_min(0)
    corners = faces[face].flatten(1)
    shown = seen.mask.flatten(1).byte()
    shown = shown.repeat_interleave(3, 1)
    none = shown.new_zeros(len(shown), count)
    return none.scatter_reduce(1, corners, shown, "amax").bool()


def _in_rows(scene: Scene, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Face, shares and depth of the pixels of some rows, as of :class:`Visible`."""
    pairs = pairs_of(scene, rows)
    inside = outlines(scene, pairs).inside
    pairs = pairs.kept(inside.nonzero().squeeze(1))
    shares = torch.stack(barycentric(scene, pairs), 1)
    depth = _depth(scene, pairs, shares)
    winner = _nearest(scene, pairs, depth)
    pixel = pairs.pixel[winner]

    def filled(values: Tensor, empty: float) -> Tensor:
        rest = values.shape[1:]
        plane = values.new_full((pairs.pixels, *rest), empty)
        plane[pixel] = values[winner]
        return plane

    faces = scene.corners.shape[1] // scene.batch
    return filled(pairs.face % faces, -1), filled(shares, 0), filled(depth, 0)


def interpolated(seen: Visible, faces: Tensor, attributes: Tensor) -> Tensor:
    """What is seen of attributes of points [B,V,C] → [B,C,S,S], 0 where nothing is; the gradients
    reach the attributes."""
    batch, size = seen.face.shape[:2]
    channels = attributes.shape[2]
    face = seen.face.clamp_min(0)
    corners = faces[face].view(batch, -1, 1)
    corners = corners.expand(-1, -1, channels)
    found = attributes.gather(1, corners)
    shares = seen.barycentric.reshape(batch, -1, 1)
    weighed = (found * shares).view(batch, -1, 3, channels)
    values = weighed.sum(2).mT
    return values.reshape(batch, channels, size, size)


def _depth(scene: Scene, pairs: Pairs, shares: Tensor) -> Tensor:
    """z of faces at pixels [P]."""
    corners = scene.corners.T[pairs.face]
    return (shares * scene.z[corners]).sum(1)


def _nearest(scene: Scene, pairs: Pairs, depth: Tensor) -> Tensor:
    """For every pixel that a face covers, which of its pairs is in front; of equally near ones
    that of the first face, wherever they stand in the list."""
    far = depth.new_full((pairs.pixels,), torch.inf)
    least = far.scatter_reduce(0, pairs.pixel, depth, "amin")
    nearest = least[pairs.pixel]
    front = (depth <= nearest).nonzero().squeeze(1)
    pixel = pairs.pixel[front]
    face = pairs.face[front]
    faces = scene.corners.shape[1]
    last = face.new_full((pairs.pixels,), faces)
    first = last.scatter_reduce(0, pixel, face, "amin")
    return front[face == first[pixel]]
