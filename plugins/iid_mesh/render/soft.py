"""Soft silhouettes and colours (Liu et al. 2019, SoftRas): every face covers the pixels around its
outline a little, so that pictures have gradients with respect to where the points are.

Memory grows with the pixels near faces, about two a covered pixel and those along outlines, up to
a bound: what is more is rendered in pieces, which are rendered again for their gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from iid_mesh.render.edges import barycentric, outlines, signed_squares
from iid_mesh.render.pairs import Pairs, Rows, Scene, near, pairs_of

#: What a face covers of a pixel is left out where it is less.
EPSILON = 1e-10
#: Distances between which depth is told apart; the viewer stands 2.732 behind where z is 0.
NEAR, FAR, VIEWER = 1.0, 100.0, 2.732
#: Fragments that weigh less, compared with the heaviest of their pixel, are dropped.
_LIGHT = 1e-6


def silhouettes(points: Tensor, faces: Tensor, size: int, sigma: float = 1e-4) -> Tensor:
    """How much of each pixel is covered, 0..1: projected points [B,V,3] and faces [F,3] → [B,S,S].

    ``sigma`` is the softness, in squared units of the picture. DataError where points are not
    finite."""
    scene = Scene.of(points, faces, size)

    def alpha(moved: Scene, rows: Rows) -> tuple[Tensor, ...]:
        return (_fragments(moved, rows, sigma).alpha(),)

    (covered,) = _by_pieces(alpha, scene, sigma)
    return covered.view(-1, size, size)


def colours(
    points: Tensor,
    faces: Tensor,
    attributes: Tensor,
    size: int,
    sigma: float = 1e-4,
    gamma: float = 1e-4,
) -> tuple[Tensor, Tensor]:
    """What is seen of ``attributes``: those of points [B,V,C] or of the corners of faces [B,F,3,C].
    → values [B,C,S,S], 0 where nothing is near, and the silhouettes [B,S,S] they are seen in.

    Of fragments in one pixel the nearer weighs more, by a factor of e each ``gamma`` of normalised
    depth. Values reach a little beyond the silhouettes: multiply them. Errors as of
    :func:`silhouettes`."""
    scene = Scene.of(points, faces, size)
    table, corners = _table(attributes, scene)

    def painted(moved: Scene, rows: Rows) -> tuple[Tensor, ...]:
        fragments = _fragments(moved, rows, sigma)
        values = fragments.mixed(table, corners, gamma)
        return values.T, fragments.alpha()

    values, covered = _by_pieces(painted, scene, sigma)
    pictures = values.view(len(points), size, size, -1)
    return pictures.movedim(3, 1), covered.view(-1, size, size)


@dataclass(frozen=True, slots=True)
class Fragments:
    """What faces cover of pixels: ``x`` [P] is the signed squared distance in units of sigma."""

    scene: Scene
    pairs: Pairs
    x: Tensor

    def alpha(self) -> Tensor:
        """1 − Π (1 − sigmoid(x)) over the faces near a pixel: [pixels]."""
        free = -F.softplus(self.x, threshold=40)
        return -torch.expm1(self._summed(free, self.pairs.pixel))

    def mixed(self, table: Tensor, corners: Tensor, gamma: float) -> Tensor:
        """What is seen of the attributes ``table`` [C,N], which stand in it at ``corners``
        [3,B·F]: [C,pixels]."""
        kept, share, weight = self.seen(gamma)
        pixel = self.pairs.pixel[kept]
        ids = corners.index_select(1, self.pairs.face[kept])
        total = self._summed(weight, pixel).clamp_min(1e-12)
        planes = []
        for channel in table.unbind(0):
            value = _mixed(channel, ids, share) * weight
            planes.append(self._summed(value, pixel) / total)
        return torch.stack(planes)

    def seen(self, gamma: float) -> tuple[Tensor, list[Tensor], Tensor]:
        """Those that are in front: which [Q], their barycentric coordinates (three [Q]), and their
        weights [Q], 1 at most."""
        share = self._shares()
        depth = self._depth(share)
        nearness = (FAR - VIEWER - depth) / (FAR - NEAR)
        most = self._most(nearness.detach())
        ahead = torch.exp((nearness - most) / gamma)
        weight = torch.sigmoid(self.x) * ahead
        heavy = weight.detach()
        seen = heavy > _LIGHT * self._most(heavy)
        kept = seen.nonzero().squeeze(1)
        return kept, [part[kept] for part in share], weight[kept]

    def _depth(self, share: list[Tensor]) -> Tensor:
        """z of faces at pixels [P]."""
        depth = torch.zeros_like(self.x)
        for part, corners in zip(share, self.scene.corners, strict=True):
            corner = corners.index_select(0, self.pairs.face)
            depth = depth + part * self.scene.z.index_select(0, corner)
        return depth

    def _shares(self) -> list[Tensor]:
        """Barycentric coordinates (three [P]) of what is seen at a pixel, or nearly of what is
        nearest to it beside the face."""
        found = barycentric(self.scene, self.pairs)
        inner = [part.clamp(1e-5, 1 - 1e-5) for part in found]
        total = inner[0] + inner[1] + inner[2]
        return [part / total for part in inner]

    def _most(self, values: Tensor) -> Tensor:
        """The largest of the values [P] of a fragment's pixel [P]."""
        lowest = values.new_full((self.pairs.pixels,), -math.inf)
        most = lowest.scatter_reduce(0, self.pairs.pixel, values, "amax")
        return most[self.pairs.pixel]

    def _summed(self, values: Tensor, pixel: Tensor) -> Tensor:
        """Sums of values [Q] over those of one pixel: [pixels]."""
        return values.new_zeros(self.pairs.pixels).index_add(0, pixel, values)


def _mixed(values: Tensor, ids: Tensor, share: list[Tensor]) -> Tensor:
    """Values of the three corners ``ids`` [3,Q] by their shares: [Q]."""
    a, b, c = (values.index_select(0, row) for row in ids)
    return share[0] * a + share[1] * b + share[2] * c


def _by_pieces(
    rendered: Callable[[Scene, Rows], tuple[Tensor, ...]], scene: Scene, sigma: float
) -> tuple[Tensor, ...]:
    """What is rendered of all rows, one piece of them after the other."""
    reach = math.log(1 / EPSILON - 1)
    pieces = near(scene, math.sqrt(sigma * reach))
    if len(pieces) == 1:
        return rendered(scene, pieces[0])

    def again(rows: Rows, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        return rendered(replace(scene, x=x, y=y, z=z), rows)

    parts = []
    for rows in pieces:
        points = (scene.x, scene.y, scene.z)
        part = checkpoint(again, rows, *points, use_reentrant=False, preserve_rng_state=False)
        parts.append(part)
    return tuple(torch.cat(planes) for planes in zip(*parts, strict=True))


def _fragments(scene: Scene, rows: Rows, sigma: float) -> Fragments:
    pairs = pairs_of(scene, rows)
    found = outlines(scene, pairs)
    squares = signed_squares(scene, pairs, found)
    return Fragments(scene, pairs, squares / sigma)


def _table(attributes: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """Attributes as a flat table [C,N], and where in it the three corners of faces stand
    [3,B·F]."""
    channels = attributes.shape[-1]
    table = attributes.reshape(-1, channels).T
    if attributes.ndim == 3:
        return table, scene.corners
    faces = scene.corners.shape[1]
    corners = torch.arange(3 * faces, device=attributes.device)
    return table, corners.view(faces, 3).T
