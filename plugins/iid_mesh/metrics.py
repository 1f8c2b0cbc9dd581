"""How good a reconstructed shape and its camera are: solids compared in the photo's axes, and spots
of the surface found again in other photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from iid_mesh.data.zbuffer import covering
from iid_mesh.render.camera import project
from iid_mesh.render.hard import visible
from iid_mesh.template import icosphere
from intrinsic_cli.kit.metrics import sample_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Points on each surface between which the Chamfer distance is taken.
SAMPLES = 10_000
#: Cells along each axis of the solids that are compared.
CELLS = 48
#: Pixels a side of the pictures in which the surface is looked for.
SEEN = 128
#: How far behind the surface that is seen a point still counts as seen, in units of the picture.
_BEHIND = 0.05
_BLOCK = 1000  # points compared with all others at a time


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """A shape before a camera: ``points`` [642,3] as of :func:`iid_mesh.render.camera.project`."""

    points: Tensor

    @staticmethod
    def of(vertices: Tensor, camera: Tensor) -> Reconstruction:
        """Vertices [642,3] in the template's axes, and a camera [7]."""
        (points,) = project(vertices.float()[None], camera.float()[None])
        return Reconstruction(points)

    def in_photo(self) -> Tensor:
        """The shape in the photo's axes [642,3], x right, y down, z away, in units of half the
        photo; no photo tells how far away it is, so the mean depth is 0."""
        return self.points - self.points[:, 2].mean() * self.points.new_tensor([0, 0, 1])

    def mask(self, size: int) -> NDArray[np.float32]:
        """Where it is in the photo [size,size,1]."""
        seen = visible(self.points[None], icosphere().faces, size).mask
        return seen[0, ..., None].float().numpy()


def chamfer(one: Reconstruction, other: Reconstruction) -> float:
    """The mean squared distance from points of one surface to the nearest of the other, there and
    back, both in the photo's axes without further alignment."""
    faces = icosphere().faces
    first, second = (
        sample_surface(each.in_photo(), faces, SAMPLES, seed).float()
        for seed, each in enumerate((one, other))
    )
    # Twenty times faster than exact distances, and good to 1e-6.
    nearest = torch.full((len(second),), torch.inf)
    there = []
    lengths = second.square().sum(1)
    for block in torch.split(first, _BLOCK):
        squared = torch.addmm(lengths, block, second.T, alpha=-2)
        squared += block.square().sum(1, keepdim=True)
        there.append(squared.amin(1))
        nearest = torch.minimum(nearest, squared.amin(0))
    both = torch.cat(there).clamp_min(0).mean() + nearest.clamp_min(0).mean()
    return float(both)


def solid_iou(one: Reconstruction, other: Reconstruction) -> float:
    """Intersection over union of two solids in the photo's axes, on a grid about both."""
    shapes = [each.in_photo().numpy() for each in (one, other)]
    points = np.concatenate(shapes)
    low = points.min(axis=0)
    high = points.max(axis=0)
    middle = (low + high) / 2
    half = (high - low).max() * 0.51
    first, second = (inside((shape - middle) / half) for shape in shapes)
    both = int((first & second).sum())
    either = int((first | second).sum())
    return both / max(1, either)


def inside(points: NDArray[np.float32], cells: int = CELLS) -> NDArray[np.bool_]:
    """Which cells [cells²,cells] of the cube -1..1 lie in the shape with these vertices [642,3].

    Along the rays through the cells, faces that are seen from outside open the solid and the others
    close it."""
    faces = icosphere().outward.numpy()
    pairs = covering(points.astype(np.float32), faces, cells)
    cell = (pairs.depth + 1) * cells / 2
    layer = np.ceil(cell - 0.5)
    layer = np.clip(layer, 0, cells)
    opens = pairs.front[pairs.face]
    turns = np.where(opens, 1.0, -1.0)
    row = cells + 1
    places = pairs.place * row
    places += layer.astype(np.int64)
    crossed = np.bincount(places, turns, cells * cells * row)
    winding = crossed.reshape(-1, row).cumsum(axis=1)
    return np.asarray(winding[:, :cells] > 0)


@dataclass(frozen=True, slots=True)
class Spots:
    """K spots of the template's surface: the ``corners`` [K,3] of their faces and the ``shares``
    [K,3] of these."""

    corners: Tensor
    shares: Tensor

    def seen(self, points: Tensor) -> Tensor:
        """Where they lie among projected vertices [642,3] → [K,3]."""
        return (points[self.corners] * self.shares[..., None]).sum(1)

    def mirrored(self) -> Spots:
        """The same spots of the other side."""
        return Spots(icosphere().mirror[self.corners], self.shares)


def spots_at(places: Tensor, shape: Reconstruction) -> Spots:
    """The spots of the surface seen at places [K,2] of the photo, or at the nearest pixels that
    show the surface."""
    faces = icosphere().faces
    seen = visible(shape.points[None], faces, SEEN)
    rows, columns = seen.mask[0].nonzero().unbind(1)
    if not len(rows):
        return vertices_at(places, shape)
    pixels = torch.stack([columns, rows], 1)
    middles = (2 * pixels + 1) / SEEN - 1
    nearest = torch.cdist(places.float(), middles).argmin(1)
    row = rows[nearest]
    column = columns[nearest]
    face = seen.face[0, row, column]
    shares = seen.barycentric[0, row, column]
    return Spots(faces[face], shares)


def vertices_at(places: Tensor, shape: Reconstruction) -> Spots:
    """The vertices that lie nearest to places [K,2] of the photo, seen or not."""
    nearest = torch.cdist(places.float(), shape.points[:, :2]).argmin(1)
    shares = torch.tensor([1.0, 0, 0]).expand(len(places), 3)
    return Spots(nearest[:, None].expand(-1, 3), shares)


@dataclass(frozen=True, slots=True)
class Depths:
    """How far away the surface seen at each pixel is [SEEN,SEEN], infinite where there is none."""

    nearest: Tensor

    @staticmethod
    def of(shape: Reconstruction) -> Depths:
        """Of a shape."""
        seen = visible(shape.points[None], icosphere().faces, SEEN)
        return Depths(torch.where(seen.mask[0], seen.depth[0], torch.inf))

    def show(self, points: Tensor) -> Tensor:
        """Which of the points [K,3] are seen, bool [K]."""
        pixels = ((points[:, :2] + 1) * (SEEN / 2)).long().clamp(0, SEEN - 1)
        return points[:, 2] <= self.nearest[pixels[:, 1], pixels[:, 0]] + _BEHIND


def texture_places(spots: Spots, shape: Reconstruction, depths: Depths) -> Tensor:
    """Where in the photo the texture of spots is taken from, [K,2]: from where they are seen; else
    from their mirror images, if those are."""
    own = spots.seen(shape.points)
    image = spots.mirrored().seen(shape.points)
    hidden = ~depths.show(own)
    elsewhere = hidden & depths.show(image)
    places = torch.where(elsewhere[:, None], image, own)
    return places[:, :2]
