"""TIFFs of half floats, which neither OpenCV nor Pillow reads: read as the 16-bit integers they are
stored as."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BITS, _FORMAT = 258, 339  # TIFF 6.0, tags BitsPerSample and SampleFormat
_SHORT, _INTEGER, _REAL = 3, 1, 3


def read_half(
    data: bytes, read: Callable[[bytes], NDArray[Any] | None]
) -> NDArray[np.float16] | None:
    """[H,W] or [H,W,C] where ``data`` is a TIFF of 16-bit floats that ``read`` can read once its
    first page is declared to hold integers (not those with the predictor of floats); else None."""
    order = "<" if data.startswith(b"II*\0") else ">"
    try:
        places = _shorts(data, order)
        bits, formats = places[_BITS], places[_FORMAT]
        values = [
            [struct.unpack_from(f"{order}H", data, at)[0] for at in tag] for tag in (bits, formats)
        ]
    except (KeyError, struct.error):
        return None
    if {*values[0]} != {16} or {*values[1]} != {_REAL}:
        return None
    declared = bytearray(data)
    for at in formats:
        struct.pack_into(f"{order}H", declared, at, _INTEGER)
    codes = read(bytes(declared))
    return None if codes is None or codes.dtype != np.uint16 else codes.view(np.float16)


def _shorts(data: bytes, order: str) -> dict[int, list[int]]:
    """Where in the file the 16-bit values of each tag of the first page lie (TIFF 6.0, section
    2)."""
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    places: dict[int, list[int]] = {}
    for entry in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, entry)
        if kind == _SHORT and count <= 4:
            first = entry + 8 if count <= 2 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            places[tag] = [first + 2 * i for i in range(count)]
    return places
