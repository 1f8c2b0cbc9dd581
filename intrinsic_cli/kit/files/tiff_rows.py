"""TIFF files of floats written row by row, so that pictures need not be whole in memory.

They are laid out as OpenCV lays them out: the numbers as they are, in pieces of about 8 KB, and the
list of fields behind them. As nothing is compressed, all places are known before the first row.
"""

from __future__ import annotations

import struct
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.exif import Exif, pack_exif
from intrinsic_cli.kit.files.tiff_fields import (
    LONG,
    PLACE,
    SHORT,
    Field,
    pack_fields,
    whole,
)

#: Files of so many bytes or more have places of 64 bits.
LONGEST = 1 << 32

_PIECE = 1 << 13  # bytes of a piece, where a row has not more
_NUMBER = 4  # bytes
_HEAD, _BIG_HEAD = 8, 16  # bytes
_LIST = 1 << 20  # bytes that a list of fields takes at most, but for its pieces
_PLACE = 8  # bytes of a place, and of a length, in a BigTIFF
_LONGER = 1 << 16  # numbers below it need 16 bits
# Tags, and values of theirs.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_PLACES, _SAMPLES, _ROWS, _LENGTHS, _PLANAR, _EXTRA, _FORMAT = 273, 277, 278, 279, 284, 338, 339
_GRAY, _COLOUR = 1, 2
_UNASSOCIATED = 2  # alpha that colours are not multiplied by
_REAL = 3
NO_EXIF = Exif()


class TiffWriter:
    """A TIFF of ``size`` (h, w) with ``channels`` (1 or 3) of float32, and ``alpha``, into
    ``file``; with ``exif``. Gray with alpha becomes RGBA, as few readers know the other. A picture
    that is too long for it becomes a BigTIFF."""

    def __init__(
        self,
        file: IO[bytes],
        size: tuple[int, int],
        channels: int,
        alpha: bool = False,
        exif: Exif = NO_EXIF,
    ) -> None:
        self._file = file
        self._size = size
        self._alpha = alpha
        self._exif = exif
        self._samples = 4 if alpha else channels
        height, width = size
        self._row = _NUMBER * width * self._samples
        length = height * self._row
        most = length + _LIST + 2 * _PLACE * height
        self._big = most >= LONGEST
        self._start = _BIG_HEAD if self._big else _HEAD
        self._end = self._start + length
        if self._big:
            file.write(struct.pack("<2sHHHQ", b"II", 43, _PLACE, 0, self._end))
        else:
            file.write(struct.pack("<2sHI", b"II", 42, self._end))

    def write(self, values: NDArray[Any]) -> None:
        """The next rows [h,W,C], red first, alpha last."""
        if self._alpha and values.shape[2] == 2:
            values = values[..., [0, 0, 0, 1]]
        numbers = np.ascontiguousarray(values, "<f4")
        self._file.write(numbers.data)

    def close(self) -> None:
        """The list of fields; the file stays open."""
        fields = self._fields()
        if self._exif:
            self._file.write(pack_exif(self._exif, "<", self._end, fields, self._big))
        else:
            self._file.write(pack_fields(fields, "<", self._end, big=self._big))

    def _fields(self) -> dict[int, Field]:
        """What describes the picture."""
        height, width = self._size
        samples = self._samples
        fields = {
            _WIDTH: _number(width),
            _HEIGHT: _number(height),
            _BITS: whole(SHORT, *[8 * _NUMBER] * samples),
            _COMPRESSION: whole(SHORT, 1),
            _PHOTOMETRIC: whole(SHORT, _GRAY if samples == 1 else _COLOUR),
            _SAMPLES: whole(SHORT, samples),
            _PLANAR: whole(SHORT, 1),
            _FORMAT: whole(SHORT, *[_REAL] * samples),
        }
        if self._alpha:
            fields[_EXTRA] = whole(SHORT, _UNASSOCIATED)
        return fields | self._pieces()

    def _pieces(self) -> dict[int, Field]:
        """Where the pieces are, and how long."""
        height = self._size[0]
        rows = min(max(1, _PIECE // self._row), height)
        places = range(self._start, self._end, rows * self._row)
        lengths = [min(rows * self._row, self._end - place) for place in places]
        place_kind = PLACE if self._big else LONG
        length_kind = SHORT if len(lengths) > 1 and lengths[0] < _LONGER else LONG
        return {
            _PLACES: whole(place_kind, *places),
            _ROWS: _number(rows),
            _LENGTHS: whole(length_kind, *lengths),
        }


def write_tiff_file(
    file: IO[bytes], values: NDArray[Any], alpha: bool = False, exif: Exif = NO_EXIF
) -> None:
    """A whole picture [H,W,C] of floats, red first, its last channel ``alpha``. OSError."""
    height, width, channels = values.shape
    writer = TiffWriter(file, (height, width), channels - alpha, alpha, exif)
    writer.write(values)
    writer.close()


def _number(value: int) -> Field:
    """As short as it can be."""
    return whole(SHORT if value < _LONGER else LONG, value)
