"""OpenEXR files written row by row, so that pictures need not be whole in memory: one part of
scanlines, each compressed by itself ("ZIPS"), as all readers know them.

After "OpenEXR File Layout" (openexr.com): a list of attributes, the places of the lines, the lines.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

try:
    from isal import isal_zlib
except ImportError:  # there is none for this machine
    isal_zlib = None  # type: ignore[assignment]  # a module or nothing

_HEAD = struct.pack("<II", 20000630, 2)  # what it is, and its version
_HALF, _FLOAT = 1, 2
_ZIPS = 2
_LEVEL = 1
_PLACE = 8  # bytes


class ExrWriter:
    """An EXR of ``size`` (h, w) with channels of these ``names``, floats of ``bits`` (16 or 32),
    into ``file``."""

    def __init__(
        self, file: IO[bytes], size: tuple[int, int], names: Sequence[str], bits: int
    ) -> None:
        #: Which channel comes when: by their names.
        self._order = sorted(range(len(names)), key=lambda index: names[index])
        self._dtype = np.dtype(f"<f{bits // 8}")
        self._file = file
        self._places: list[int] = []
        kind = _HALF if bits == 16 else _FLOAT
        head = _header(size, sorted(names), kind)
        self._table = len(head)
        self._end = self._table + _PLACE * size[0]
        file.write(head)
        file.write(bytes(_PLACE * size[0]))

    def write(self, values: NDArray[Any]) -> None:
        """The next rows [h,W,C], the channels in the order of their names as they were given."""
        lines = self._lines(values)
        for line, ready in zip(lines, _prepared(lines), strict=True):
            data = _compressed(ready)
            if len(data) >= line.nbytes:
                data = line.tobytes()
            self._file.write(struct.pack("<ii", len(self._places), len(data)))
            self._file.write(data)
            self._places.append(self._end)
            self._end += 8 + len(data)

    def close(self) -> None:
        """The places of the lines; the file stays open."""
        self._file.seek(self._table)
        self._file.write(struct.pack(f"<{len(self._places)}Q", *self._places))
        self._file.seek(self._end)

    def _lines(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Rows as bytes [h,n], channel after channel."""
        planes = values[..., self._order].transpose(0, 2, 1)
        numbers = np.ascontiguousarray(planes, self._dtype)
        return numbers.view(np.uint8).reshape(len(values), -1)


def channel_names(channels: int, alpha: bool) -> tuple[str, ...]:
    """Those of a picture with so many ``channels`` (1 or 3), red first, and ``alpha``, last."""
    colours = ("R", "G", "B") if channels == 3 else ("Y",)
    return (*colours, "A") if alpha else colours


def _prepared(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes [h,n] as they are compressed: first those at even places, then the others, each as its
    difference from the one before."""
    parts = [lines[:, ::2], lines[:, 1::2]]
    ready = np.hstack(parts)
    before = ready[:, :-1].copy()
    before -= np.uint8(128)
    differences = ready[:, 1:]
    differences -= before
    return ready


def _compressed(line: NDArray[np.uint8]) -> bytes:
    if isal_zlib is not None:
        return isal_zlib.compress(line.data, _LEVEL)
    return zlib.compress(line.data, _LEVEL)


def _header(size: tuple[int, int], names: Iterable[str], kind: int) -> bytes:
    """All attributes, by name."""
    height, width = size
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channel = struct.pack("<iB3xii", kind, 0, 1, 1)
    channels = b"".join(name.encode() + b"\0" + channel for name in names)
    attributes = (
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes([_ZIPS])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        ("type", "string", b"scanlineimage"),
    )
    packed = [_attribute(*one) for one in attributes]
    return _HEAD + b"".join(packed) + b"\0"


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    names = f"{name}\0{kind}\0".encode()
    return names + struct.pack("<i", len(value)) + value
