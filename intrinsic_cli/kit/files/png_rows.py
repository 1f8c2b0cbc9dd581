"""PNG files written row by row, for pictures too large to be held whole.

The codes are those of :mod:`~intrinsic_cli.kit.files.layers`; so are filter (the difference from
the pixel on the left) and compression (runs only).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray + alpha, RGB, RGBA
_LEFT = 1  # the filter
_PIECE = 1 << 18  # bytes of compressed data in a chunk, about


class PngWriter:
    """A PNG of ``width`` x ``height`` pixels with ``channels`` (1 to 4) of ``bits`` (8 or 16), into
    ``file``. OSError where it does not fit."""

    def __init__(
        self, file: IO[bytes], width: int, height: int, channels: int, bits: int
    ) -> None:
        self._file = file
        self._step = channels * bits // 8
        self._left: list[bytes] = []
        self._zip = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
        kind = _COLOUR_TYPES[channels]
        head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
        self._file.write(SIGNATURE + chunk(b"IHDR", head))

    def mark(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Put in whole chunks that say something of the picture; before its first row."""
        self._file.writelines(chunks)

    def write(self, codes: NDArray[Any]) -> None:
        """The next rows [h,W,C], uint8 or uint16, red first."""
        data = np.ascontiguousarray(codes, codes.dtype.newbyteorder(">")).view(np.uint8)
        rows = data.reshape(len(codes), -1)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _LEFT
        filtered[:, 1 : 1 + self._step] = rows[:, : self._step]
        np.subtract(
            rows[:, self._step :], rows[:, : -self._step], out=filtered[:, 1 + self._step :]
        )
        self._put(self._zip.compress(filtered))

    def close(self) -> None:
        """The end of the picture; the file stays open."""
        self._put(self._zip.flush(), last=True)
        self._file.write(chunk(b"IEND", b""))

    def _put(self, data: bytes, last: bool = False) -> None:
        self._left.append(data)
        if last or sum(map(len, self._left)) >= _PIECE:
            self._file.write(chunk(b"IDAT", b"".join(self._left)))
            self._left.clear()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A piece of a PNG file."""
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
