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
        first, second, third = self.corners.T
        shares = self.weights
        seen = values[first] * shares[:, :1]
        seen += values[second] * shares[:, 1:2]
        seen += values[third] * shares[:, 2:]
        return np.asarray(seen)

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
    flat = corners[..., :2]
    area = _areas(flat)
    face, column, row = _pairs(flat, side)
    middles = _centre(column, side), _centre(row, side)
    weights = _weights(flat, area, face, middles)
    depth = np.zeros(len(face), np.float32)
    for weight, z in zip(weights, corners[..., 2].T, strict=True):
        depth += weight * z[face]
    place = row * side + column
    pairs = Covering(face, place, weights, depth, area < 0)
    inside = (weights >= 0).all(axis=0)
    return pairs.kept(np.asarray(inside))


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


def _areas(corners: Floats) -> Floats:
    """Twice the areas of faces [F,3,2], below 0 where their fronts are seen, never 0."""
    a, b, c = corners.transpose(1, 2, 0)
    first = b - a
    second = c - a
    area = first[0] * second[1] - first[1] * second[0]
    edge_on = np.abs(area) < _FLAT
    return np.where(edge_on, np.float32(_FLAT), area)


def _centre(index: Ints, side: int) -> Floats:
    """The middle of pixels of a row, in -1..1."""
    return ((2 * index + 1) / side - 1).astype(np.float32)


def _pairs(corners: Floats, side: int) -> tuple[Ints, Ints, Ints]:
    """Every face [F,3,2] with every pixel of the box around it: faces, columns, rows [P]."""
    first, last = _box(corners, side)
    spans = np.maximum(last - first + 1, 0)
    width, height = spans.T
    counts = width * height
    face = np.repeat(np.arange(len(corners)), counts)
    starts = np.cumsum(counts) - counts
    number = np.arange(len(face))
    number -= starts[face]
    down, right = np.divmod(number, width[face])
    column = first[face, 0] + right
    row = first[face, 1] + down
    return face, column, row


def _box(corners: Floats, side: int) -> tuple[Ints, Ints]:
    """The first and last column and row of pixels whose middles may lie in faces [F,3,2]."""
    a, b, c = corners.transpose(1, 0, 2)
    low = np.minimum(a, b)
    low = np.minimum(low, c)
    high = np.maximum(a, b)
    high = np.maximum(high, c)
    first = np.ceil(_index(low, side))
    last = np.floor(_index(high, side))
    first = np.clip(first, 0, side)
    last = np.clip(last, -1, side - 1)
    return first.astype(np.int64), last.astype(np.int64)


def _index(places: Floats, side: int) -> Floats:
    """Places in -1..1 as numbers of pixels, whole ones in their middles."""
    index = (places + 1) * side - 1
    return np.asarray(index / 2, places.dtype)


def _weights(corners: Floats, area: Floats, face: Ints, middles: tuple[Floats, Floats]) -> Floats:
    """Barycentric coordinates [3,P] of points in their faces."""
    x, y = middles
    a, b, c = corners.transpose(1, 2, 0)
    made = []
    for start, end in ((b, c), (c, a)):
        across, down, offset = _slopes(start, end, area)
        weight = across[face] * x
        weight += down[face] * y
        weight += offset[face]
        made.append(weight)
    first, second = made
    third = 1 - first - second
    return np.stack([first, second, third])


def _slopes(start: Floats, end: Floats, area: Floats) -> tuple[Floats, Floats, Floats]:
    """The weight of the corner opposite to an edge, as across·x + down·y + offset of every
    face."""
    x, y = start
    last_x, last_y = end
    across = (y - last_y) / area
    down = (last_x - x) / area
    offset = (x * last_y - y * last_x) / area
    return across, down, offset
