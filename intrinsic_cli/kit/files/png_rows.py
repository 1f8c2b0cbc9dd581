"""PNG files written row by row, so that pictures need not be whole in memory.

Each row is stored as its difference from the row above. The difference from the pixel on the left
makes files 4 to 12 % larger. They are compressed by ISA-L where it is at hand, whose search for
what was there before reaches back but a little: it takes a quarter of zlib's time, which then knows
runs only, for files that are 1 to 6 % larger (17 % where there is nothing but grain, in which
reaching further back would make it 21 %).
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.containers import Marks, marked
from intrinsic_cli.kit.files.png_chunks import SIGNATURE, png_chunk

try:
    from isal import isal_zlib
except ImportError:  # there is none for this machine
    isal_zlib = None  # type: ignore[assignment]  # a module or nothing

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray + alpha, RGB, RGBA
NO_MARKS = Marks()
_ABOVE = 2  # the filter
_BAND = 1 << 20  # bytes that are compressed at a time
_PIECE = 1 << 18  # bytes of compressed data in a chunk, about
_NEAR = 9  # 512 bytes back at most, as a power of 2
_LEVEL, _MOST_MEMORY = 1, 9


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
        self._left: list[bytes] = []
        self._zip = _compressor()
        height, width = size
        self._above = np.zeros(width * channels * bits // 8, np.uint8)
        kind = _COLOUR_TYPES[channels]
        body = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
        head = SIGNATURE + png_chunk(b"IHDR", body)
        self._file.writelines(marked(memoryview(head), "png", marks))

    def write(self, codes: NDArray[Any]) -> None:
        """The next rows [h,W,C], uint8 or uint16, red first."""
        order = codes.dtype.newbyteorder(">")
        big_endian = np.ascontiguousarray(codes, order)
        values = big_endian.view(np.uint8)
        rows = values.reshape(len(codes), -1)
        step = max(1, _BAND // rows.shape[1])
        for top in range(0, len(rows), step):
            self._write(rows[top : top + step])

    def _write(self, rows: NDArray[np.uint8]) -> None:
        """Rows of bytes."""
        filtered = _filtered(rows, self._above)
        self._put(self._zip.compress(filtered.data))
        self._above = rows[-1].copy()

    def close(self) -> None:
        """The end of the picture; the file stays open."""
        self._put(self._zip.flush(), last=True)
        self._file.write(png_chunk(b"IEND", b""))

    def _put(self, data: bytes, last: bool = False) -> None:
        self._left.append(data)
        if last or sum(map(len, self._left)) >= _PIECE:
            self._file.write(png_chunk(b"IDAT", b"".join(self._left)))
            self._left.clear()


def write_png_file(file: IO[bytes], codes: NDArray[Any], marks: Marks = NO_MARKS) -> None:
    """A whole picture [H,W,C], uint8 or uint16, red first. OSError."""
    height, width, channels = codes.shape
    writer = PngWriter(file, (height, width), channels, codes.dtype.itemsize * 8, marks)
    writer.write(codes)
    writer.close()


def _compressor() -> Any:
    """An object of :mod:`zlib` or its like."""
    if isal_zlib is not None:
        return isal_zlib.compressobj(_LEVEL, zlib.DEFLATED, _NEAR)
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS, _MOST_MEMORY, zlib.Z_RLE)


def _filtered(rows: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows of bytes [h,n] as PNG compresses them: each begins with the name of its filter, here
    the difference from the row before; ``above`` [n] is that of the first."""
    height, length = rows.shape
    filtered = np.empty((height, 1 + length), np.uint8)
    filtered[:, 0] = _ABOVE
    values = filtered[:, 1:]
    values[0] = rows[0] - above
    before, others = rows[:-1], rows[1:]
    np.subtract(others, before, out=values[1:])
    return filtered
