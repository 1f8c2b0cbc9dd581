"""Which triangle every pixel sees: numpy, for the few thousand triangles and pixels of a made-up
picture. Gradients are the business of the renderer of the method, not of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

#: Twice the area of faces that are seen edge-on, at least.
_FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Fragments:
    """The pixels that see something: their ``places`` in the picture read row by row [P], the
    three ``corners`` (vertices) of the triangle seen [P,3], where in it (``weights`` [P,3], sum 1)
    and how far away (``depth`` [P])."""

    side: int
    places: Ints
    corners: Ints
    weights: Floats
    depth: Floats

    def of(self, values: Floats) -> Floats:
        """Values of vertices [V,C] → of the fragments [P,C]."""
        seen = values[self.corners[:, 0]] * self.weights[:, :1]
        seen += values[self.corners[:, 1]] * self.weights[:, 1:2]
        seen += values[self.corners[:, 2]] * self.weights[:, 2:]
        return seen

    def picture(self, values: Floats, background: float = 0.0) -> Floats:
        """Values of the fragments [P,C] → [side,side,C]."""
        picture = np.full((self.side * self.side, values.shape[1]), background, np.float32)
        picture[self.places] = values
        return picture.reshape(self.side, self.side, -1)


@dataclass(frozen=True, slots=True)
class Covering:
    """Faces and the pixels whose middles they cover, N pairs: the number of the ``face``, the
    ``place`` of the pixel, the ``weights`` [3,N] of its corners there, and the ``depth``.
    ``front`` [F] says which faces show their outside."""

    face: Ints
    place: Ints
    weights: Floats
    depth: Floats
    front: NDArray[np.bool_]

    def kept(self, some: NDArray[Any]) -> Covering:
        """Some of the pairs, by number or by mask."""
        weights = self.weights[:, some]
        return Covering(self.face[some], self.place[some], weights, self.depth[some], self.front)


def covering(points: Floats, faces: Ints, side: int) -> Covering:
    """Projected vertices [V,3] (x right, y down in -1..1, z away) and faces [F,3], wound
    counter-clockwise as seen from outside: all pixels that each of them covers, also where others
    are in front."""
    corners = points[faces]
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.where(np.abs(area) < _FLAT, _FLAT, area)
    face, column, row = _pairs(corners, side)
    across = _centre(column, side)
    down = _centre(row, side)
    weights = _weights(corners[..., :2], area, face, across, down)
    z = corners[..., 2].T
    depth = weights[0] * z[0, face]
    depth += weights[1] * z[1, face]
    depth += weights[2] * z[2, face]
    pairs = Covering(face, row * side + column, weights, depth, area < 0)
    least = np.minimum(np.minimum(weights[0], weights[1]), weights[2])
    return pairs.kept(least >= 0)


def rasterize(points: Floats, faces: Ints, side: int) -> Fragments:
    """The nearest of the faces in every pixel, at its middle; see :func:`covering`. Backs are not
    seen."""
    pairs = covering(points, faces, side)
    pairs = pairs.kept(pairs.front[pairs.face])
    winner = np.full(side * side, -1)
    # Written from far to near, the last to be written is the nearest.
    far_first = np.argsort(-pairs.depth, kind="stable")
    winner[pairs.place[far_first]] = far_first
    seen = pairs.kept(winner[winner >= 0])
    return Fragments(side, seen.place, faces[seen.face], seen.weights.T, seen.depth)


def _cross(one: Floats, other: Floats) -> Floats:
    """z of the cross product of vectors [N,2+]."""
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]


def _centre(index: Ints, side: int) -> Floats:
    """The middle of pixels of a row, in -1..1."""
    return ((2 * index + 1) / side - 1).astype(np.float32)


def _pairs(corners: Floats, side: int) -> tuple[Ints, Ints, Ints]:
    """Every face with every pixel of the box around it: faces, columns, rows [P]."""
    a, b, c = corners[..., :2].transpose(1, 0, 2)
    low = np.minimum(np.minimum(a, b), c)
    high = np.maximum(np.maximum(a, b), c)
    first = np.clip(np.ceil(((low + 1) * side - 1) / 2), 0, side).astype(np.int64)
    last = np.clip(np.floor(((high + 1) * side - 1) / 2), -1, side - 1).astype(np.int64)
    width, height = np.maximum(last - first + 1, 0).T
    counts = width * height
    face = np.repeat(np.arange(len(corners)), counts)
    starts = np.cumsum(counts) - counts
    number = np.arange(len(face)) - starts[face]
    down, right = np.divmod(number, width[face])
    return face, first[face, 0] + right, first[face, 1] + down


def _weights(corners: Floats, area: Floats, face: Ints, x: Floats, y: Floats) -> Floats:
    """Barycentric coordinates [3,P] of points in their faces."""
    a, b, c = corners.transpose(1, 2, 0)
    slopes = _slopes(b, c, area), _slopes(c, a, area)
    made = [px[face] * x + py[face] * y + offset[face] for px, py, offset in slopes]
    return np.stack([*made, 1 - made[0] - made[1]])


def _slopes(start: Floats, end: Floats, area: Floats) -> tuple[Floats, Floats, Floats]:
    """The weight of the corner opposite to an edge, as px·x + py·y + offset of every face."""
    px = (start[1] - end[1]) / area
    py = (end[0] - start[0]) / area
    offset = (start[0] * end[1] - start[1] * end[0]) / area
    return px, py, offset
