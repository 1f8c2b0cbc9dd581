"""Rows of a PNG, read from disk one after the other: of those whose rows are stored as they are, or
as their differences from the rows above, as our own are. All others are read whole."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.file_parts import FileParts
from intrinsic_cli.kit.files.pieces import ZLIB
from intrinsic_cli.kit.files.png_chunks import SIGNATURE
from intrinsic_cli.kit.light.resize import bands

_BEGINNING = 29  # bytes: the signature, and the first chunk, which describes the picture
_HEAD = 8  # bytes of a chunk: how long it is, and its name
_CHECK = 4  # bytes behind it
_PIECE = 1 << 20  # compressed bytes that are read at a time
_BANDS = 1 << 22  # bytes that they become at a time
_CHANNELS = {0: 1, 4: 2, 2: 3, 6: 4}  # by the type of colours
_AS_IT_IS, _ABOVE = 0, 2  # filters


class PngLines:
    """``size`` is (h, w). EOFError or ValueError where the file is damaged."""

    def __init__(self, file: FileParts, size: tuple[int, int], channels: int, bits: int) -> None:
        self.size = size
        self._channels = channels
        self._type = np.dtype(f">u{bits // 8}")
        self._length = 1 + size[1] * channels * bits // 8
        self._above = np.zeros(self._length - 1, np.uint8)
        self._bytes = _inflated(file)
        self._left = bytearray()
        self._next = 0

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """The rows between, [n,W,C]: those that follow the ones that were read last."""
        if start != self._next:
            raise ValueError(f"row {self._next} comes next, not {start}")
        self._next = stop
        rows = self._restored(self._next_rows(stop - start))
        codes = rows.view(self._type).reshape(len(rows), -1, self._channels)
        return codes.astype(self._type.newbyteorder("="), copy=False)

    def are_known(self) -> bool:
        """Are all rows stored in ways that are known here? Nothing is left to be read then."""
        for rows in bands(*self.size):
            filters = self._next_rows(rows.stop - rows.start)[:, 0]
            if not np.isin(filters, (_AS_IT_IS, _ABOVE)).all():
                return False
        return True

    def _next_rows(self, count: int) -> NDArray[np.uint8]:
        """The next rows of bytes, each behind the name of its filter."""
        wanted = count * self._length
        while len(self._left) < wanted:
            piece = next(self._bytes, b"")
            if not piece:
                raise EOFError("there are fewer rows than there should be")
            self._left += piece
        stored = np.frombuffer(bytes(self._left[:wanted]), np.uint8)
        del self._left[:wanted]
        return stored.reshape(count, self._length)

    def _restored(self, stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Rows of bytes without their filters."""
        are_differences = stored[:, 0] == _ABOVE
        rows = stored[:, 1:].copy()
        above = self._above
        for row, is_difference in zip(rows, are_differences, strict=True):
            if is_difference:
                row += above
            above = row
        self._above = above
        return rows


def open_lines(file: FileParts) -> PngLines | None:
    """The picture in a file; None where it must be read whole. EOFError or ValueError where it is
    damaged: all of it is gone through once."""
    beginning = file.beginning(_BEGINNING)
    if not beginning.startswith(SIGNATURE) or beginning[12:16] != b"IHDR":
        return None
    try:
        width, height, bits, kind, *others = struct.unpack(">IIBBBBB", beginning[16:])
    except struct.error:  # it breaks off
        return None
    if bits not in (8, 16) or kind not in _CHANNELS or any(others):
        return None
    if min(width, height) < 1:
        return None

    def lines() -> PngLines:
        return PngLines(file, (height, width), _CHANNELS[kind], bits)

    return lines() if lines().are_known() else None


def _inflated(file: FileParts) -> Iterator[bytes]:
    """What the chunks of pixels hold, piece by piece."""
    decompressor = ZLIB.decompressobj()
    try:
        for data in _pixels(file):
            rest: Any = data
            while rest:
                yield decompressor.decompress(rest, _BANDS)
                rest = decompressor.unconsumed_tail
        yield decompressor.flush()
    except (ZLIB.error, zlib.error) as error:
        raise ValueError("not what zlib has compressed") from error


def _pixels(file: FileParts) -> Iterator[bytearray]:
    """The content of the chunks of pixels."""
    place = len(SIGNATURE)
    while True:
        length, kind = struct.unpack(">I4s", file.read(place, _HEAD))
        if kind == b"IEND":
            return
        if kind == b"IDAT":
            for begin in range(0, length, _PIECE):
                yield file.read(place + _HEAD + begin, min(_PIECE, length - begin))
        place += _HEAD + length + _CHECK
