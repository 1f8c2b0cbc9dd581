"""Which pixels lie near which faces.

The list is found in two steps, neither of which looks at all faces × all pixels: the rows of pixels
that a face reaches, and in each row the columns between the edges of the face, moved out. Hardly
any pixel of these is further away than asked for. A list that would be long is made in pieces, of
a few rows of pixels each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from intrinsic_cli.api import DataError

#: About as many pairs are looked at together, which takes half a gigabyte.
MOST = 1 << 22
#: By how much more than the radius edges are moved out, against rounding.
_SLACK = 1e-5
#: Inward normals whose x is smaller say nothing about columns.
_LEVEL = 1e-6


@dataclass(frozen=True, slots=True)
class Scene:
    """B meshes in pictures of ``size`` × ``size``, as flat lists.

    ``x``, ``y``, ``z`` [B·V] are the points; ``corners`` [3,B·F] the numbers in them of the three
    corners of every face."""

    x: Tensor
    y: Tensor
    z: Tensor
    corners: Tensor
    batch: int
    size: int

    @staticmethod
    def of(points: Tensor, faces: Tensor, size: int) -> Scene:
        """From projected points [B,V,3] and faces [F,3]. DataError where points are not finite."""
        if not torch.isfinite(points).all():
            hint = "the network that moves them, or its camera, has diverged"
            raise DataError("a mesh has points that are not finite", hint)
        batch, count, _ = points.shape
        pictures = torch.arange(batch, device=points.device)
        first = (pictures * count)[:, None]
        corners = faces.T[:, None] + first
        x, y, z = points.reshape(-1, 3).T.contiguous()
        return Scene(x, y, z, corners.flatten(1), batch, size)

    def centre(self, index: Tensor) -> Tensor:
        """Where the middle of column (or row) ``index`` lies, -1..1."""
        return (2 * index + 1 - self.size).to(self.x.dtype) / self.size

    def position(self) -> tuple[Tensor, Tensor]:
        """x and y of the corners of faces [3,B·F] each, without gradients."""
        return self.x.detach()[self.corners], self.y.detach()[self.corners]


@dataclass(frozen=True, slots=True)
class Pairs:
    """P faces and pixels: ``face`` [P] counts through B·F faces, ``pixel`` [P] through the
    ``pixels`` of some rows of the pictures; ``x`` and ``y`` [P] are the pixels' middles."""

    face: Tensor
    pixel: Tensor
    x: Tensor
    y: Tensor
    pixels: int

    def kept(self, which: Tensor) -> Pairs:
        """Some of them, by number [Q]."""
        return Pairs(
            face=self.face.index_select(0, which),
            pixel=self.pixel.index_select(0, which),
            x=self.x.index_select(0, which),
            y=self.y.index_select(0, which),
            pixels=self.pixels,
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of pixels from ``begin`` to before ``end``, counted through all pictures, and the
    stretches of them that lie near faces: each of a ``face`` in a ``row``, ``count`` pixels from
    the column ``first`` on; all [R]."""

    begin: int
    end: int
    face: Tensor
    row: Tensor
    first: Tensor
    count: Tensor

    def part(self, begin: int, end: int) -> Rows:
        """Some of the rows."""
        inside = (self.row >= begin) & (self.row < end)
        kept = inside.nonzero().squeeze(1)
        return Rows(
            begin=begin,
            end=end,
            face=self.face.index_select(0, kept),
            row=self.row.index_select(0, kept),
            first=self.first.index_select(0, kept),
            count=self.count.index_select(0, kept),
        )


@torch.no_grad()
def near(scene: Scene, radius: float) -> list[Rows]:
    """Where faces are near: in or less than ``radius`` outside of them, and hardly further. All
    rows of all pictures, in pieces of no more than :data:`MOST` pairs or of one row each."""
    face, row = _rows(scene, radius)
    y = scene.centre(row)
    left, right = _between_edges(scene, radius, face, y)
    first, last = _indices(left, right, scene.size)
    count = last - first + 1
    count = count.clamp_min(0)
    faces = scene.corners.shape[1] // scene.batch
    picture = face // faces
    row = row + picture * scene.size
    end = scene.batch * scene.size
    whole = Rows(0, end, face, row, first, count)
    total = int(count.sum())
    if total <= MOST:
        return [whole]
    return [whole.part(begin, end) for begin, end in _pieces(whole)]


def _pieces(whole: Rows) -> Iterator[tuple[int, int]]:
    """Where pieces begin and end."""
    totals = whole.count.new_zeros(whole.end).index_add(0, whole.row, whole.count)
    begin, together = 0, 0
    for row, total in enumerate(totals.tolist()):
        if together and together + total > MOST:
            yield begin, row
            begin, together = row, 0
        together += total
    yield begin, whole.end


@torch.no_grad()
def pairs_of(scene: Scene, rows: Rows) -> Pairs:
    """The pairs of faces and pixels in some rows."""
    owner, start = _owners(rows.count)
    # Columns count on within a row and pixels within a piece: one addition gives either.
    column = (rows.first - start).index_select(0, owner)
    column += torch.arange(len(owner), device=owner.device)
    beginning = (rows.row - rows.begin) * scene.size
    return Pairs(
        face=rows.face.index_select(0, owner),
        pixel=beginning.index_select(0, owner) + column,
        x=scene.centre(column),
        y=scene.centre(rows.row % scene.size).index_select(0, owner),
        pixels=(rows.end - rows.begin) * scene.size,
    )


def _rows(scene: Scene, radius: float) -> tuple[Tensor, Tensor]:
    """Faces and the rows of their picture they reach, a pair for each."""
    _, y = scene.position()
    low, high = y.amin(0), y.amax(0)
    low = low - radius
    high = high + radius
    first, last = _indices(low, high, scene.size)
    counts = last - first + 1
    face, start = _owners(counts.clamp_min(0))
    beginning = first - start
    place = torch.arange(len(face), device=face.device)
    return face, place + beginning[face]


def _between_edges(scene: Scene, radius: float, face: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where a row at height ``y`` lies inside of all three edges of its face, moved
    out by ``radius``: x of both ends."""
    x, _ = scene.position()
    left = (x.amin(0) - radius)[face]
    right = (x.amax(0) + radius)[face]
    for normal_x, normal_y, offset in _edges(scene):
        slope = normal_x[face]
        beyond = normal_y[face] * y + offset[face]
        beyond = beyond + radius + _SLACK
        rising = slope > _LEVEL
        falling = slope < -_LEVEL
        bound = -beyond / torch.where(rising | falling, slope, 1)
        left = torch.where(rising, torch.maximum(left, bound), left)
        right = torch.where(falling, torch.minimum(right, bound), right)
    return left, right


def _edges(scene: Scene) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Every edge as (normal x, normal y, offset) [B·F] each, the normal of length one and pointing
    inward: normal · point + offset is the distance from the edge."""
    x, y = scene.position()
    x_along = x.roll(-1, 0) - x
    y_along = y.roll(-1, 0) - y
    area = x_along[0] * y_along[1]
    area = area - x_along[1] * y_along[0]
    length = torch.hypot(x_along, y_along).clamp_min(1e-12)
    # A face without an area has no inside: its normals are zero and bound nothing.
    scale = area.sign() / length
    normal_x = -y_along * scale
    normal_y = x_along * scale
    offset = -(normal_x * x + normal_y * y)
    yield from zip(normal_x, normal_y, offset, strict=True)


def _indices(low: Tensor, high: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The first and last pixel whose middle lies between two positions; none where the last comes
    before the first."""
    first = torch.ceil(((low + 1) * size - 1) / 2)
    last = torch.floor(((high + 1) * size - 1) / 2)
    return first.clamp(0, size).long(), last.clamp(-1, size - 1).long()


def _owners(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Counts ``[2, 0, 3]`` → the owners ``[0, 0, 2, 2, 2]``, and where each one's begin
    ``[0, 2, 2]``."""
    ends = counts.cumsum(0)
    total = int(counts.sum())
    owners = torch.arange(len(counts), device=counts.device)
    return torch.repeat_interleave(owners, counts, output_size=total), ends - counts
