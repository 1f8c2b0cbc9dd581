"""Rows of a TIFF of floats, read from disk when they are asked for: of strips, as they are or
compressed by zlib. All others are read whole."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.file_parts import Asked, FileParts
from intrinsic_cli.kit.files.pieces import Pieces, inflated
from intrinsic_cli.kit.files.tiff_fields import Field, Fields, layout_of, read_fields

# Tags.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_PLACES, _ORIENTATION, _SAMPLES, _ROWS, _LENGTHS, _PLANAR = 273, 274, 277, 278, 279, 284
_PREDICTOR, _TILE_WIDTH, _FORMAT, _DNG_VERSION = 317, 322, 339, 50706
# Values of theirs.
_PLAIN, _ZLIB, _OLD_ZLIB = 1, 8, 32946
_BY_BYTES = 3  # a predictor: of floats
_REAL = 3
#: What other fields say that is known here; the first is meant where they say nothing.
_KNOWN = {
    _COMPRESSION: (_PLAIN, _ZLIB, _OLD_ZLIB),
    _PHOTOMETRIC: (1, 0, 2),
    _FILL_ORDER: (1,),
    _ORIENTATION: (1,),
    _SAMPLES: (1, 3, 4),
    _PLANAR: (1,),
    _PREDICTOR: (1, _BY_BYTES),
}
#: Bytes of a compressed strip, which is decoded whole.
_LONGEST = 1 << 26
_NONE = Field(0, b"")


class TiffStrips:
    """As :func:`~intrinsic_cli.kit.files.tiff.read_tiff` has them. ``size`` is (h, w)."""

    def __init__(self, size: tuple[int, int], strips: _Strips | Pieces) -> None:
        self.size = size
        self._strips = strips

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """The rows between, [n,W,1, 3 or 4] in half or single precision. EOFError or ValueError
        where the file is damaged."""
        return self._strips.rows(start, stop)


def open_strips(file: FileParts, asked: Asked) -> TiffStrips | None:
    """The picture in a file; None where it is not as ``asked`` for, or must be read whole. EOFError
    where it breaks off."""
    layout = _layout_of(file)
    if layout is None or not asked.wants(layout.size) or not _is_usual(layout, file.size):
        return None
    strips = _Strips(file, layout)
    if layout.compression == _PLAIN:
        return TiffStrips(layout.size, strips)
    return TiffStrips(layout.size, Pieces(strips.decode, layout.rows))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Of a file: the size of its picture (h, w), the type of its ``samples``, and its strips of so
    many ``rows``."""

    size: tuple[int, int]
    dtype: np.dtype[Any]
    samples: int
    compression: int
    by_bytes: bool
    rows: int
    places: tuple[int, ...]
    lengths: tuple[int, ...]

    @property
    def row(self) -> int:
        """Bytes of a row."""
        return self.size[1] * self.samples * self.dtype.itemsize

    def rows_of(self, index: int) -> int:
        """How many rows a strip has."""
        return min(self.rows, self.size[0] - index * self.rows)


def _layout_of(file: FileParts) -> _Layout | None:
    """None where it is none of those that are read here."""
    data = file.mapped()
    found = layout_of(data)
    fields = read_fields(data, found) if found else {}
    bits = fields.get(_BITS, _NONE).numbers
    reals = fields.get(_FORMAT, _NONE).numbers
    samples = _number(fields, _SAMPLES, 1)
    if not _is_known(fields) or reals != (_REAL,) * samples:
        return None
    if bits not in ((16,) * samples, (32,) * samples):
        return None
    height = _number(fields, _HEIGHT)
    return _Layout(
        size=(height, _number(fields, _WIDTH)),
        dtype=np.dtype(f"{found.order if found else '<'}f{bits[0] // 8}"),
        samples=samples,
        compression=_number(fields, _COMPRESSION, _PLAIN),
        by_bytes=_number(fields, _PREDICTOR) == _BY_BYTES,
        rows=max(1, min(_number(fields, _ROWS, height), height)),
        places=fields[_PLACES].numbers,
        lengths=fields[_LENGTHS].numbers,
    )


def _is_known(fields: Fields) -> bool:
    """Are there strips of samples side by side, and no more to be minded?"""
    if _TILE_WIDTH in fields or _DNG_VERSION in fields:
        return False
    if _PLACES not in fields or _LENGTHS not in fields:
        return False
    return all(_number(fields, tag, known[0]) in known for tag, known in _KNOWN.items())


def _is_usual(layout: _Layout, end: int) -> bool:
    """Are the strips those of such a picture, and of a length that is read at once? EOFError where
    the file ends at a place before that of the last."""
    if layout.by_bytes and layout.dtype.itemsize != 4:
        return False
    count = -(-layout.size[0] // layout.rows)
    if len(layout.places) != count or len(layout.lengths) != count:
        return False
    ends = map(add, layout.places, layout.lengths)
    if max(ends) > end:
        raise EOFError("a strip breaks off")
    longest = layout.rows * layout.row
    if layout.compression != _PLAIN:
        return longest <= _LONGEST
    last = layout.rows_of(count - 1) * layout.row
    are_there = min(layout.lengths[:-1], default=longest) >= longest and layout.lengths[-1] >= last
    return are_there and not layout.by_bytes


class _Strips:
    """Strips of a file as numbers."""

    def __init__(self, file: FileParts, layout: _Layout) -> None:
        self._file = file
        self._layout = layout

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Rows [n,W,C] of a file that is not compressed."""
        layout = self._layout
        data = bytearray()
        row = start
        while row < stop:
            index, above = divmod(row, layout.rows)
            end = min(stop, row - above + layout.rows)
            place = layout.places[index] + above * layout.row
            length = (end - row) * layout.row
            data += self._file.read(place, length)
            row = end
        values = np.frombuffer(data, layout.dtype)
        return self._numbers(values)

    def decode(self, index: int) -> NDArray[Any]:
        """A compressed strip [n,W,C]."""
        layout = self._layout
        place, length = layout.places[index], layout.lengths[index]
        data = self._file.read(place, length)
        count = layout.rows_of(index)
        values = inflated(data, count * layout.row)
        if layout.by_bytes:
            rows = values.reshape(count, -1)
            return self._numbers(_summed(rows, layout.samples))
        return self._numbers(values.view(layout.dtype))

    def _numbers(self, values: NDArray[Any]) -> NDArray[Any]:
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        return native.reshape(-1, self._layout.size[1], self._layout.samples)


def _summed(coded: NDArray[np.uint8], samples: int) -> NDArray[Any]:
    """Rows of bytes that are told by their differences from those of the pixel before, the first
    bytes of all numbers first (Adobe Photoshop TIFF Technical Note 3)."""
    rows = len(coded)
    pixels = coded.reshape(rows, -1, samples)
    summed = np.add.accumulate(pixels, axis=1, dtype=np.uint8)
    planes = summed.reshape(rows, 4, -1)
    numbers = planes.transpose(0, 2, 1)
    return np.ascontiguousarray(numbers).view(">f4")


def _number(fields: Fields, tag: int, usual: int = 0) -> int:
    """The one whole number of a tag, the usual one without it; -1 where it is none."""
    if tag not in fields:
        return usual
    numbers = fields[tag].numbers
    return numbers[0] if len(numbers) == 1 else -1
