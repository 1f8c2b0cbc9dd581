"""JPEG files written some rows at a time, for pictures too large to be held whole.

OpenCV encodes each piece of rows as a picture of its own. As colours are not subsampled, its
squares of 8 by 8 pixels are those of the whole picture; what follows each other is told apart by
restart markers, behind which nothing is predicted from what went before (ITU T.81, section B.2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.containers import Marks, marked
from intrinsic_cli.kit.files.opencv import cv2

#: Without losing more than one can see, and all colours of all pixels.
PARAMS = (
    *(cv2.IMWRITE_JPEG_QUALITY, 95),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)
#: Side of the squares: pieces have a multiple of so many rows, but the last.
SQUARE = 8
NO_MARKS = Marks()
MOST = 65_500  # rows or columns that libjpeg takes
_FRAME, _SCAN, _INTERVAL, _RESTART, _END = 0xC0, 0xDA, 0xDD, 0xD0, b"\xff\xd9"
_MOST_SQUARES = 0xFFFF  # between two restarts


class JpegWriter:
    """A JPEG of ``size`` (h, w) into ``file``, with ``marks``. OSError where it does not fit on the
    disk, DataError where it is too large for the format."""

    def __init__(self, file: IO[bytes], size: tuple[int, int], marks: Marks = NO_MARKS) -> None:
        height, width = size
        if max(size) > MOST:
            picture = f"a picture of {width}x{height} pixels does not fit into jpg"
            raise DataError(picture, "try --format png or tiff")
        self._file, self._height, self._marks = file, height, marks
        self._pieces = 0

    def write(self, codes: NDArray[np.uint8]) -> None:
        """The next rows [n,W,1 or 3], red first: as many in each piece, a multiple of
        :data:`SQUARE`, but for the last."""
        data = encode(codes)
        scan = _scan_of(data)
        if self._pieces == 0:
            head = memoryview(self._head(data[:scan], codes))
            self._file.writelines(marked(head, "jpg", self._marks))
        else:
            self._file.write(bytes([0xFF, _RESTART + (self._pieces - 1) % 8]))
        self._file.write(data[scan : -len(_END)])
        self._pieces += 1

    def close(self) -> None:
        """The end of the picture; the file stays open."""
        self._file.write(_END)

    def _head(self, data: memoryview, codes: NDArray[np.uint8]) -> bytes:
        """The head of the first piece as that of the whole picture."""
        squares = [-(-length // SQUARE) for length in codes.shape[:2]]
        interval = squares[0] * squares[1]
        if interval > _MOST_SQUARES:
            raise ValueError(f"a piece of {interval} squares is too large")
        head = bytearray(data)
        for place, marker in _markers(data):
            if marker == _FRAME:
                struct.pack_into(">H", head, place + 5, self._height)
            if marker == _SCAN:
                head[place:place] = struct.pack(">BBHH", 0xFF, _INTERVAL, 4, interval)
        return bytes(head)


def encode(codes: NDArray[np.uint8]) -> memoryview:
    """The JPEG file of [h,W,1 or 3], red first."""
    gray = codes.shape[2] == 1
    picture = codes[..., 0] if gray else cv2.cvtColor(codes, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", picture, list(PARAMS))
    return memoryview(data)


def decode(data: memoryview, gray: bool) -> NDArray[np.uint8]:
    """What loss has left, [h,W,1 or 3], red first."""
    codes = np.frombuffer(data, np.uint8)
    picture: NDArray[np.uint8]
    if gray:
        picture = cv2.imdecode(codes, cv2.IMREAD_GRAYSCALE)
        return picture[..., None]
    picture = cv2.imdecode(codes, cv2.IMREAD_COLOR)
    return picture[..., ::-1]


def _scan_of(data: memoryview) -> int:
    """Where the compressed pixels begin."""
    place, _ = next(found for found in _markers(data) if found[1] == _SCAN)
    (length,) = struct.unpack_from(">H", data, place + 2)
    return int(place + 2 + length)


def _markers(data: memoryview) -> Iterator[tuple[int, int]]:
    """The place and the kind of each marker of the head, up to the scan."""
    place, marker = 2, 0
    while marker != _SCAN:
        marker = data[place + 1]
        yield place, marker
        (length,) = struct.unpack_from(">H", data, place + 2)
        place += 2 + length
