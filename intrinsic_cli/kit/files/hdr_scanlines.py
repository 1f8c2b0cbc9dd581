"""Rows of a Radiance picture (.hdr), read from disk when they are asked for.

Below some lines of text and one with its size lie its lines of pixels, of four bytes each: red,
green, blue, and their exponent. Most files hold the four one after the other, each in runs of equal
bytes and of unlike ones, and nothing tells where a line begins: all are gone through once.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.file_parts import Asked, FileParts
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.pieces import Pieces
from intrinsic_cli.kit.files.quiet import decoding

_LONGEST = 1 << 12  # bytes of the text
_SIZE = re.compile(rb"\n\n(-Y (\d{1,9}) \+X (\d{1,9})\n)")
_LINES = 16  # of a piece
_SHORTEST, _WIDEST = 8, 0x7FFF  # lines that may be in runs, pixels
_MARK = b"\x02\x02"  # of lines in runs
_UNLIKE = 0x80  # bytes of a run of unlike ones, at most
_CHANNELS = 4
_PART = 1 << 22  # bytes in which lines are looked for
#: What the numbers of a pixel are multiplied by, for each exponent.
_SCALES: NDArray[np.float32] = np.ldexp(np.ones(256, np.float32), np.arange(256) - 136)
_SCALES[0] = 0


class HdrScanlines:
    """As OpenCV reads them. ``size`` is (h, w)."""

    def __init__(self, size: tuple[int, int], pieces: Pieces) -> None:
        self.size = size
        self._pieces = pieces

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """The rows between, [n,W,3]. EOFError or ValueError where the file is damaged."""
        return self._pieces.rows(start, stop)


def open_scanlines(file: FileParts, asked: Asked) -> HdrScanlines | None:
    """The picture in a file; None where it is not as ``asked`` for, or must be read whole. EOFError
    or ValueError where it is damaged."""
    beginning = file.beginning(_LONGEST)
    found = _SIZE.search(beginning)
    if found is None:
        return None
    size = int(found[2]), int(found[3])
    if not asked.wants(size):
        return None
    first = found.end()
    if not _in_runs(beginning[first : first + 4], size[1]):
        return HdrScanlines(size, Pieces(_FlatLines(file, first, size).decode, _LINES, most=0))
    places = _places(file, first, size)
    if places is None:
        return None
    text = beginning[: found.start(1)]
    return HdrScanlines(size, Pieces(_Runs(file, text, places, size).decode, _LINES))


class _FlatLines:
    """Pixel after pixel."""

    def __init__(self, file: FileParts, first: int, size: tuple[int, int]) -> None:
        self._file = file
        self._first = first
        self._size = size

    def decode(self, index: int) -> NDArray[np.float32]:
        """A piece [n,W,3]."""
        height, width = self._size
        top = index * _LINES
        count = min(_LINES, height - top)
        row = _CHANNELS * width
        data = self._file.read(self._first + top * row, count * row)
        pixels = np.frombuffer(data, np.uint8).reshape(count, width, _CHANNELS)
        colours, exponents = pixels[..., :3], pixels[..., 3:]
        scales = _SCALES[exponents]
        light: NDArray[np.float32] = colours * scales
        return light


class _Runs:
    """Lines in runs, which OpenCV decodes as pictures of their own with the ``text`` of theirs."""

    def __init__(
        self, file: FileParts, text: bytes, places: NDArray[np.int64], size: tuple[int, int]
    ) -> None:
        self._file = file
        self._text = text
        self._places = places
        self._size = size

    def decode(self, index: int) -> NDArray[np.float32]:
        """A piece [n,W,3]."""
        height, width = self._size
        top = index * _LINES
        stop = min(top + _LINES, height)
        place, end = self._places[[top, stop]].tolist()
        size = b"-Y %d +X %d\n" % (stop - top, width)
        data = self._text + size + self._file.read(place, end - place)
        picture = np.frombuffer(data, np.uint8)
        with decoding():
            codes = cv2.imdecode(picture, cv2.IMREAD_UNCHANGED)
        if codes is None:
            raise ValueError("lines that cannot be decoded")
        return np.ascontiguousarray(codes[..., ::-1])


def _in_runs(line: bytes | bytearray, width: int) -> bool:
    """Is a line that begins so in runs?"""
    if not _SHORTEST <= width <= _WIDEST or len(line) < _CHANNELS:
        return False
    return line[:2] == _MARK and line[2] < _UNLIKE


def _places(file: FileParts, first: int, size: tuple[int, int]) -> NDArray[np.int64] | None:
    """Where the lines begin, and the last one ends; None where some are not in runs. EOFError or
    ValueError where they break off."""
    height, width = size
    longest = _CHANNELS * (1 + 2 * width)
    places = [first]
    start, data = first, bytearray()
    for _ in range(height):
        place = places[-1]
        if place + longest > start + len(data):
            start = place
            data = file.read(start, min(_PART + longest, file.size - start))
        mark = data[place - start : place - start + 4]
        if len(mark) == 4 and not _in_runs(mark, width):
            return None
        places.append(start + _line_end(data, place - start + 4, width))
    return np.array(places, np.int64)


def _line_end(data: bytearray, place: int, width: int) -> int:
    """Where a line ends whose runs begin at a place. EOFError or ValueError where it breaks off."""
    try:
        for _ in range(_CHANNELS):
            left = width
            while left > 0:
                count = data[place]
                if count > _UNLIKE:  # of one byte
                    left -= count - _UNLIKE
                    place += 2
                else:
                    left -= count or width + 1
                    place += 1 + count
            if left:
                raise ValueError("a run that leads beyond its line")
    except IndexError as error:
        raise EOFError("a line breaks off") from error
    if place > len(data):
        raise EOFError("a line breaks off")
    return place
