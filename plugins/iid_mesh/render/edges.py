"""How far pixels lie from the outlines of faces, with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iid_mesh.render.pairs import Pairs, Scene

#: Squared lengths of edges are never taken for less.
_POINT = 1e-12
#: Twice the area below which a face has no barycentric coordinates.
_FLAT = 1e-10


@dataclass(frozen=True, slots=True)
class Outline:
    """Where P pixels stand to the outlines of their faces: ``edge`` [P] is the corner (0..2) at
    which the nearest edge starts, ``inside`` [P] says whether they lie within."""

    edge: Tensor
    inside: Tensor


@dataclass(frozen=True, slots=True)
class _Away:
    """x and y from the corners of faces to pixels, three [P] each."""

    x: list[Tensor]
    y: list[Tensor]

    @staticmethod
    def of(scene: Scene, pairs: Pairs) -> _Away:
        x, y = [], []
        for corners in scene.corners:
            corner = corners.index_select(0, pairs.face)
            x.append(pairs.x - scene.x.index_select(0, corner))
            y.append(pairs.y - scene.y.index_select(0, corner))
        return _Away(x, y)

    def sides(self) -> list[Tensor]:
        """On which side of each edge pixels lie, three [P]: twice the area of the triangle they
        make with it. The k-th edge starts at the k-th corner."""
        found = []
        for k in range(3):
            following = (k + 1) % 3
            one = self.x[k] * self.y[following]
            other = self.x[following] * self.y[k]
            found.append(one - other)
        return found

    def square(self, k: int) -> Tensor:
        """Squared distances from the k-th edge [P]. It writes over what it made itself: three
        quarters of the time of a render are spent on memory."""
        x, y = self.x[k], self.y[k]
        following = (k + 1) % 3
        x_edge = x - self.x[following]
        y_edge = y - self.y[following]
        along = _along(x, y, x_edge, y_edge)
        x_rest = x_edge.mul_(along).sub_(x)
        y_rest = y_edge.mul_(along).sub_(y)
        return x_rest.square_().addcmul_(y_rest, y_rest)


@torch.no_grad()
def outlines(scene: Scene, pairs: Pairs) -> Outline:
    """The nearest edges of pairs, and which pixels lie inside. A face without an area has no
    inside."""
    away = _Away.of(scene, pairs)
    first, second, third = (away.square(k) for k in range(3))
    edge = (second < first).long()
    nearer = torch.minimum(first, second)
    edge = torch.where(third < nearer, 2, edge)
    a, b, c = away.sides()
    least = torch.minimum(torch.minimum(a, b), c)
    most = torch.maximum(torch.maximum(a, b), c)
    counter_clockwise = (least >= 0) & (most > 0)
    clockwise = (most <= 0) & (least < 0)
    return Outline(edge, counter_clockwise | clockwise)


def signed_squares(scene: Scene, pairs: Pairs, outline: Outline) -> Tensor:
    """Squared distances to the outlines of faces [P], positive inside and negative outside; their
    gradients reach the points of the scene."""
    faces = scene.corners.shape[1]
    place = outline.edge * faces + pairs.face
    start = scene.corners.flatten().index_select(0, place)
    end = scene.corners.roll(-1, 0).flatten().index_select(0, place)
    x_start = scene.x.index_select(0, start)
    y_start = scene.y.index_select(0, start)
    x_end = scene.x.index_select(0, end)
    y_end = scene.y.index_select(0, end)
    along = _along(pairs.x - x_start, pairs.y - y_start, x_end - x_start, y_end - y_start)
    # The nearest point may be held where it is on its edge: a shift along it changes nothing.
    x_away = pairs.x - torch.lerp(x_start, x_end, along)
    y_away = pairs.y - torch.lerp(y_start, y_end, along)
    square = x_away.square() + y_away.square()
    return torch.where(outline.inside, square, -square)


def barycentric(scene: Scene, pairs: Pairs) -> list[Tensor]:
    """The shares of the three corners of faces at pixels: three [P] that add up to 1, with
    gradients to the points; each 0..1 inside. All 0 where a face has no area."""
    a, b, c = _Away.of(scene, pairs).sides()
    area = a + b + c
    flat = area.abs() < _FLAT
    area = torch.where(flat, torch.inf, area)
    # The edge that starts at a corner lies opposite to the corner before.
    return [b / area, c / area, a / area]


@torch.no_grad()
def _along(x: Tensor, y: Tensor, x_edge: Tensor, y_edge: Tensor) -> Tensor:
    """How far along edges the nearest points to pixels lie, 0..1 [P]."""
    along = (x * x_edge).addcmul_(y, y_edge)
    along.div_(_squared_length(x_edge, y_edge))
    return along.clamp_(0, 1)


def _squared_length(x: Tensor, y: Tensor) -> Tensor:
    return (x * x).addcmul_(y, y).clamp_min_(_POINT)
