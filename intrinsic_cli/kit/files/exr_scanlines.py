"""Rows of an OpenEXR file, read from disk when they are asked for: of one part of scanlines, as
they are or compressed by zlib ("ZIPS", "ZIP"). All others are read whole.

After "OpenEXR File Layout" (openexr.com): a header, the places of chunks of 1 or 16 lines, chunks.
In a chunk each line has its channels one after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.exr import choose_layer, join_planes, read_header
from intrinsic_cli.kit.files.exr_attributes import ChannelType, channel_types, read_attributes
from intrinsic_cli.kit.files.file_parts import Asked, FileParts
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.pieces import Pieces, inflated

_LONGEST = 1 << 20  # bytes of a header
_OTHER_KINDS = 0x1A00  # flags of the version: tiles, deep pixels, several parts
_NONE, _ZIPS, _ZIP = 0, 2, 3
_LINES = {_NONE: 1, _ZIPS: 1, _ZIP: 16}  # of a chunk
_TYPES = ("<u4", "<f2", "<f4")
_HEAD = 8  # bytes of a chunk: its first line, and its length
_RUN = 64  # bytes that are summed up
#: What headers end in that are damaged.
_ODD = (KeyError, IndexError, ValueError, EOFError, struct.error)


class ExrScanlines:
    """As :func:`~intrinsic_cli.kit.files.exr.read_exr` has them. ``size`` is (h, w)."""

    def __init__(self, chunks: _Chunks, chromaticities: tuple[float, ...]) -> None:
        layout = chunks.layout
        self.size = layout.size
        self._chromaticities = chromaticities
        most = 0 if layout.compression == _NONE else None
        self._pieces = Pieces(chunks.decode, layout.lines, most)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """The rows between, [n,W,3 or 4]. EOFError or ValueError where the file is damaged."""
        planes = self._pieces.rows(start, stop).transpose(1, 0, 2)
        return join_planes(list(planes), self._chromaticities)


def open_scanlines(file: FileParts, asked: Asked) -> ExrScanlines | None:
    """A layer of an EXR; None where it is not as ``asked`` for, or must be read whole."""
    layout = _layout_of(file)
    if layout is None or not asked.wants(layout.size):
        return None
    try:
        header = read_header(asked.path, to_read_all=False)
        _, names = choose_layer(header, asked.layer)
        chunks = _Chunks(file, layout, names)
    except (DataError, *_ODD):  # whoever reads it whole says what is wrong with it
        return None
    return ExrScanlines(chunks, header.chromaticities)


def open_channels(file: FileParts, names: Sequence[str]) -> ExrScanlines | None:
    """Channels of these names as they are, one standing for all colours; None where there are no
    such, or the file must be read whole."""
    layout = _layout_of(file)
    if layout is None:
        return None
    try:
        return ExrScanlines(_Chunks(file, layout, names), ())
    except _ODD:
        return None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Of a file: the size of its picture (h, w) and its first line, how it is compressed, its
    channels, and where the places of its chunks are."""

    size: tuple[int, int]
    top: int
    compression: int
    channels: list[ChannelType]
    table: int

    @property
    def lines(self) -> int:
        """Of a chunk."""
        return _LINES[self.compression]

    @property
    def chunks(self) -> int:
        """How many there are."""
        return -(-self.size[0] // self.lines)


def _layout_of(file: FileParts) -> _Layout | None:
    """None where it is none of those that are read here, or damaged."""
    beginning = file.beginning(_LONGEST)
    try:
        (version,) = struct.unpack_from("<I", beginning, 4)
        attributes, end = read_attributes(beginning)
        (compression,) = attributes["compression"]
        left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
        channels = channel_types(attributes)
    except _ODD:
        return None
    names = [channel.name for channel in channels]
    is_sampled = any(channel.sampling != (1, 1) for channel in channels)
    if version & _OTHER_KINDS or compression not in _LINES or is_sampled or names != sorted(names):
        return None
    return _Layout((bottom - top + 1, right - left + 1), top, compression, channels, end)


class _Chunks:
    """Chunks of a file as numbers, of channels of these ``names``. ValueError where those are no
    floats, or some chunks were never written."""

    def __init__(self, file: FileParts, layout: _Layout, names: Sequence[str]) -> None:
        self.layout = layout
        self._file = file
        order = [channel.name for channel in layout.channels]
        self._wanted = [order.index(name) for name in names]
        self._types = [np.dtype(_TYPES[channel.kind]) for channel in layout.channels]
        lengths = [layout.size[1] * dtype.itemsize for dtype in self._types]
        #: Where each channel begins in a line, and where the line ends.
        self._starts = [0, *np.cumsum(lengths).tolist()]
        table = file.read(layout.table, 8 * layout.chunks)
        self._places = np.frombuffer(table, "<u8")
        are_floats = all(self._types[channel].kind == "f" for channel in self._wanted)
        if not are_floats or not self._places.all():
            raise ValueError("not to be read here")

    def decode(self, index: int) -> NDArray[Any]:
        """A chunk [n,C,W], in half precision where all channels are."""
        lines = self._lines(index)
        planes = []
        for channel in self._wanted:
            values = lines[:, self._starts[channel] : self._starts[channel + 1]]
            planes.append(np.ascontiguousarray(values).view(self._types[channel]))
        return np.stack(planes, axis=1, dtype=np.result_type(*planes))

    def _lines(self, index: int) -> NDArray[np.uint8]:
        """Their bytes, [n,bytes of a line]."""
        layout = self.layout
        first = index * layout.lines
        count = min(layout.lines, layout.size[0] - first)
        length = count * self._starts[-1]
        least = length if layout.compression == _NONE else 1
        place = int(self._places[index])
        line, stored = struct.unpack("<ii", self._file.read(place, _HEAD))
        if line != layout.top + first or not least <= stored <= length:
            raise ValueError("a chunk is not what it should be")
        data = self._file.read(place + _HEAD, stored)
        values = np.frombuffer(data, np.uint8)
        if stored < length:  # else it would not have become shorter
            values = _restored(inflated(data, length, checked=True))
        return values.reshape(count, -1)


def _restored(coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes as they were before they were compressed: each is told by its difference from the one
    before, and first come those of the even places."""
    differences = coded - np.uint8(128)
    differences[0] = coded[0]
    values = _summed(differences)
    middle = len(values) // 2
    both: NDArray[np.uint8] = cv2.merge([values[:middle], values[middle:]])
    return both.reshape(-1)


def _summed(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each and all before it: in runs of :data:`_RUN`, side by side, then of the runs, which
    takes two fifths of the time of one after the other."""
    length = len(values)
    missing = -length % _RUN
    runs = np.pad(values, (0, missing)).reshape(-1, _RUN)
    columns: NDArray[np.uint8] = cv2.transpose(runs)
    for before, column in pairwise(columns):
        column += before
    ends = columns[-1, :-1]
    columns[:, 1:] += np.add.accumulate(ends, dtype=np.uint8)
    summed: NDArray[np.uint8] = cv2.transpose(columns)
    return summed.reshape(-1)[:length]
