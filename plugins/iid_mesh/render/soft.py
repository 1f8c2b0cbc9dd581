"""Soft silhouettes and colours (Liu et al. 2019, SoftRas): every face covers the pixels around its
outline a little, so that pictures have gradients with respect to where the points are.

Memory is bounded by the pixels near faces: about two a covered pixel and those along outlines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.render.edges import barycentric, outlines, signed_squares
from iid_mesh.render.pairs import Pairs, Scene, near

#: What a face covers of a pixel is left out where it is less.
EPSILON = 1e-10
#: Distances between which depth is told apart; the viewer stands 2.732 behind where z is 0.
NEAR, FAR, VIEWER = 1.0, 100.0, 2.732
#: Fragments that weigh less, compared with the heaviest of their pixel, are dropped.
_LIGHT = 1e-6


def silhouettes(points: Tensor, faces: Tensor, size: int, sigma: float = 1e-4) -> Tensor:
    """How much of each pixel is covered, 0..1: projected points [B,V,3] and faces [F,3] → [B,S,S].

    ``sigma`` is the softness, in squared units of the picture. DataError where points are not
    finite, or so many faces lie over each other that memory would not do."""
    fragments = _fragments(points, faces, size, sigma)
    return fragments.alpha()


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
    fragments = _fragments(points, faces, size, sigma)
    alpha = fragments.alpha()
    table, corners = _table(attributes, fragments.scene)
    kept, share, weight = fragments.seen(gamma)
    pixel, face = fragments.pairs.pixel[kept], fragments.pairs.face[kept]
    ids = corners.index_select(1, face)
    total = _summed(weight, pixel, fragments.scene).clamp_min(1e-12)
    planes = []
    for channel in table.unbind(0):
        value = sum(share[k] * channel.index_select(0, ids[k]) for k in range(3))
        planes.append(_summed(weight * value, pixel, fragments.scene) / total)
    values = torch.stack(planes).view(-1, len(points), size, size)
    return values.transpose(0, 1), alpha


@dataclass(frozen=True, slots=True)
class Fragments:
    """What faces cover of pixels: ``x`` [P] is the signed squared distance in units of sigma."""

    scene: Scene
    pairs: Pairs
    x: Tensor

    def alpha(self) -> Tensor:
        """[B,S,S]: 1 − Π (1 − sigmoid(x)) over the faces near a pixel."""
        free = -F.softplus(self.x, threshold=40)
        size = self.scene.size
        return -torch.expm1(_summed(free, self.pairs.pixel, self.scene)).view(-1, size, size)

    def seen(self, gamma: float) -> tuple[Tensor, list[Tensor], Tensor]:
        """Those that are in front: which [Q], their barycentric coordinates (three [Q]), and their
        weights [Q], 1 at most."""
        share = self._shares()
        corners = self.scene.corners.index_select(1, self.pairs.face)
        depth = sum(share[k] * self.scene.z.index_select(0, corners[k]) for k in range(3))
        nearness = (FAR - VIEWER - depth) / (FAR - NEAR)
        most = self._most(nearness.detach())
        weight = torch.sigmoid(self.x) * torch.exp((nearness - most) / gamma)
        heaviest = self._most(weight.detach())
        kept = (weight.detach() > _LIGHT * heaviest).nonzero().squeeze(1)
        return kept, [part[kept] for part in share], weight[kept]

    def _shares(self) -> list[Tensor]:
        """Barycentric coordinates (three [P]) of what is seen at a pixel, or nearly of what is
        nearest to it beside the face."""
        inner = [s.clamp(1e-5, 1 - 1e-5) for s in barycentric(self.scene, self.pairs)]
        total = inner[0] + inner[1] + inner[2]
        return [part / total for part in inner]

    def _most(self, values: Tensor) -> Tensor:
        """The largest of the values [P] of a fragment's pixel [P]."""
        lowest = values.new_full((self.scene.pixels,), -math.inf)
        most = lowest.scatter_reduce(0, self.pairs.pixel, values, "amax")
        return most[self.pairs.pixel]


def _fragments(points: Tensor, faces: Tensor, size: int, sigma: float) -> Fragments:
    scene = Scene.of(points, faces, size)
    radius = math.sqrt(sigma * math.log(1 / EPSILON - 1))
    pairs = near(scene, radius)
    square = signed_squares(scene, pairs, outlines(scene, pairs))
    return Fragments(scene, pairs, square / sigma)


def _summed(values: Tensor, pixel: Tensor, scene: Scene) -> Tensor:
    """Sums over fragments [P] → pixels [B·S·S]."""
    return values.new_zeros(scene.pixels).index_add(0, pixel, values)


def _table(attributes: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """Attributes as a flat table [C,N], and where in it the three corners of faces stand
    [3,B·F]."""
    table = attributes.reshape(-1, attributes.shape[-1]).T
    if attributes.ndim == 3:
        return table, scene.corners
    count = scene.corners.shape[1]
    first = torch.arange(count, device=attributes.device) * 3
    return table, torch.stack([first, first + 1, first + 2])
