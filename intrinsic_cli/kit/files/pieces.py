"""Pictures that a file holds in pieces of some rows each, every one compressed by itself."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from isal import isal_zlib
except ImportError:  # there is none for this machine
    isal_zlib = None  # type: ignore[assignment]  # a module or nothing

#: Bytes of decoded pieces that are kept: 44 megapixels of three channels of 32 bits. They are
#: decoded once; the others whenever they are asked for.
MOST_KEPT = 512 << 20
#: Rows that were decoded last and are at hand, about: a band of them is asked for several times.
_ROWS = 48
#: What decompresses: either module has the same functions.
ZLIB: Any = zlib if isal_zlib is None else isal_zlib

Codes = NDArray[Any]


class Pieces:
    """``decode(index)`` makes a piece [n,…] of ``height`` rows, the last one perhaps of fewer; at
    most so many bytes of them are kept (None: :data:`MOST_KEPT`)."""

    def __init__(
        self, decode: Callable[[int], Codes], height: int, most: int | None = None
    ) -> None:
        self._height = height
        self._room = MOST_KEPT if most is None else most
        self._kept: dict[int, Codes] = {}
        count = max(2, _ROWS // height)
        self._decoded = lru_cache(maxsize=count)(decode)

    def rows(self, start: int, stop: int) -> Codes:
        """The rows between, [n,…]."""
        parts = []
        first = start // self._height
        end = -(-stop // self._height)
        for index in range(first, end):
            piece = self._piece(index)
            top = index * self._height
            above = max(0, start - top)
            parts.append(piece[above : stop - top])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _piece(self, index: int) -> Codes:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        piece = self._decoded(index)
        if piece.nbytes <= self._room:
            self._room -= piece.nbytes
            self._kept[index] = piece
        return piece


def inflated(data: bytes | bytearray, length: int, checked: bool = False) -> NDArray[np.uint8]:
    """So many bytes that zlib has compressed. ValueError where they are not there, or, if this is
    ``checked``, where they are others, or more."""
    decompressor = ZLIB.decompressobj()
    try:
        found = decompressor.decompress(data, length + checked)
    except ZLIB.error as error:
        raise ValueError("not what zlib has compressed") from error
    if len(found) != length or (checked and not decompressor.eof):
        raise ValueError("not as much as there should be")
    return np.frombuffer(found, np.uint8)
