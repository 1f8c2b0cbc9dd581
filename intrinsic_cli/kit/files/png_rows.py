"""PNG files written row by row, for pictures too large to be held whole.

The codes are those of :mod:`~intrinsic_cli.kit.files.layers`; so are filter (the difference from
the pixel on the left) and compression (runs only).
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.containers import Marks, marked

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray + alpha, RGB, RGBA
NO_MARKS = Marks()
_LEFT = 1  # the filter
_PIECE = 1 << 18  # bytes of compressed data in a chunk, about


class PngWriter:
    """A PNG of ``size`` (h, w) with ``channels`` (1 to 4) of ``bits`` (8 or 16), into ``file``,
    with ``marks``. OSError where it does not fit."""

    def __init__(
        self,
        file: IO[bytes],
        size: tuple[int, int],
        channels: int,
        bits: int,
        marks: Marks = NO_MARKS,
    ) -> None:
        self.bits = bits
        self._file = file
        self._step = channels * bits // 8
        self._left: list[bytes] = []
        self._zip = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
        height, width = size
        kind = _COLOUR_TYPES[channels]
        body = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
        head = SIGNATURE + chunk(b"IHDR", body)
        self._file.writelines(marked(memoryview(head), "png", marks))

    def write(self, codes: NDArray[Any]) -> None:
        """The next rows [h,W,C], uint8 or uint16, red first."""
        big_endian = np.ascontiguousarray(codes, codes.dtype.newbyteorder(">"))
        rows = big_endian.view(np.uint8).reshape(len(codes), -1)
        self._put(self._zip.compress(_filtered(rows, self._step).data))

    def close(self) -> None:
        """The end of the picture; the file stays open."""
        self._put(self._zip.flush(), last=True)
        self._file.write(chunk(b"IEND", b""))

    def _put(self, data: bytes, last: bool = False) -> None:
        self._left.append(data)
        if last or sum(map(len, self._left)) >= _PIECE:
            self._file.write(chunk(b"IDAT", b"".join(self._left)))
            self._left.clear()


def _filtered(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Rows of bytes [h,n] as PNG compresses them: each begins with the name of its filter, here
    the difference from the pixel ``step`` bytes before."""
    height, length = rows.shape
    filtered = np.empty((height, 1 + length), np.uint8)
    filtered[:, 0] = _LEFT
    values = filtered[:, 1:]
    values[:, :step] = rows[:, :step]
    others = values[:, step:]
    before = rows[:, :-step]
    np.subtract(rows[:, step:], before, out=others)
    return filtered


def chunk(kind: bytes, body: bytes) -> bytes:
    """A piece of a PNG file."""
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
