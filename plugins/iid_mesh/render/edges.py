"""How far pixels lie from the outlines of faces, with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iid_mesh.render.pairs import Pairs, Scene

#: Squared lengths of edges are never taken for less.
_POINT = 1e-12


@dataclass(frozen=True, slots=True)
class Outline:
    """Where P pixels stand to the outlines of their faces: ``edge`` [P] is the corner (0..2) at
    which the nearest edge starts, ``inside`` [P] says whether they lie within."""

    edge: Tensor
    inside: Tensor


@torch.no_grad()
def outlines(scene: Scene, pairs: Pairs) -> Outline:
    """The nearest edges of pairs, and which pixels lie inside. A face without an area has no
    inside."""
    x, y = _away(scene, pairs)
    squares = [_square(x, y, k) for k in range(3)]
    two = torch.minimum(squares[0], squares[1])
    edge = torch.where(squares[2] < two, 2, (squares[1] < squares[0]).long())
    sides = _sides(x, y)
    least = torch.minimum(torch.minimum(sides[0], sides[1]), sides[2])
    most = torch.maximum(torch.maximum(sides[0], sides[1]), sides[2])
    inside = (least >= 0) & (most > 0) | (most <= 0) & (least < 0)
    return Outline(edge, inside)


def signed_squares(scene: Scene, pairs: Pairs, outline: Outline) -> Tensor:
    """Squared distances to the outlines of faces [P], positive inside and negative outside; their
    gradients reach the points of the scene."""
    place = outline.edge * scene.corners.shape[1] + pairs.face
    start = scene.corners.flatten().index_select(0, place)
    end = scene.corners.roll(-1, 0).flatten().index_select(0, place)
    x_start, y_start = scene.x.index_select(0, start), scene.y.index_select(0, start)
    x_end, y_end = scene.x.index_select(0, end), scene.y.index_select(0, end)
    with torch.no_grad():
        x_edge, y_edge = x_end - x_start, y_end - y_start
        along = (pairs.x - x_start) * x_edge
        along.addcmul_(pairs.y - y_start, y_edge)
        along /= _length(x_edge, y_edge)
        along.clamp_(0, 1)
    # The nearest point may be held where it is on its edge: a shift along it changes nothing.
    x_away = pairs.x - torch.lerp(x_start, x_end, along)
    y_away = pairs.y - torch.lerp(y_start, y_end, along)
    square = x_away.square() + y_away.square()
    return torch.where(outline.inside, square, -square)


def barycentric(scene: Scene, pairs: Pairs) -> list[Tensor]:
    """The shares of the three corners of faces at pixels: three [P] that add up to 1, with
    gradients to the points; each 0..1 inside. All 0 where a face has no area."""
    x, y = _away(scene, pairs)
    sides = _sides(x, y)
    area = sides[0] + sides[1] + sides[2]
    area = torch.where(area.abs() < 1e-10, torch.inf, area)
    return [sides[k - 2] / area for k in range(3)]


def _away(scene: Scene, pairs: Pairs) -> tuple[list[Tensor], list[Tensor]]:
    """x and y from the corners of faces to pixels, three [P] each."""
    corners = [row.index_select(0, pairs.face) for row in scene.corners]
    x = [pairs.x - scene.x.index_select(0, corner) for corner in corners]
    y = [pairs.y - scene.y.index_select(0, corner) for corner in corners]
    return x, y


def _sides(x: list[Tensor], y: list[Tensor]) -> list[Tensor]:
    """On which side of each edge pixels lie: twice the area of the triangles they make with it,
    three [P]; the k-th edge starts at the k-th corner."""
    return [x[k] * y[k - 2] - x[k - 2] * y[k] for k in range(3)]


def _square(x: list[Tensor], y: list[Tensor], k: int) -> Tensor:
    """Squared distances from the k-th edge [P]."""
    x_edge, y_edge = x[k] - x[k - 2], y[k] - y[k - 2]
    along = (x[k] * x_edge).addcmul_(y[k], y_edge)
    along = along.div_(_length(x_edge, y_edge)).clamp_(0, 1)
    x_rest = x_edge.mul_(along).sub_(x[k])
    y_rest = y_edge.mul_(along).sub_(y[k])
    return x_rest.square_().addcmul_(y_rest, y_rest)


def _length(x: Tensor, y: Tensor) -> Tensor:
    """Squared lengths, not quite zero."""
    return (x * x).addcmul_(y, y).clamp_min_(_POINT)
