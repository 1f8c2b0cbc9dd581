"""What OpenCV and Pillow cannot do with TIFFs: half floats, and saying what the fourth channel is.

A page is described by fields (TIFF 6.0, section 2): number of the tag, type, count, and the value
or the place where it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How a TIFF of either byte order begins; the last two are BigTIFFs.
TIFF = (b"II*\0", b"MM\0*")
BIG_TIFF = (b"II+\0", b"MM\0+")

_BITS, _FORMAT, _EXTRA = 258, 339, 338  # tags BitsPerSample, SampleFormat, ExtraSamples
_WIDTH, _HEIGHT = 256, 257  # tags ImageWidth, ImageLength
_SHORT = 3  # the type of 16-bit integers
_NUMBERS = {_SHORT: "H", 4: "I", 16: "Q"}  # all types of whole numbers that sizes have
_INTEGER, _REAL = 1, 3  # values of SampleFormat
_UNASSOCIATED = 2  # value of ExtraSamples: alpha that colours are not multiplied by
_FIELD, _BIG_FIELD = 12, 20  # bytes
_MOST_FIELDS = 1 << 16


@dataclass(frozen=True, slots=True)
class Page:
    """The fields of a TIFF's first page: ``order`` of bytes for struct, where the list starts."""

    data: bytes | memoryview
    order: str
    start: int
    count: int

    def unpack(self, code: str, at: int) -> tuple[Any, ...]:
        """Numbers at a place. struct.error beyond the end."""
        return struct.unpack_from(self.order + code, self.data, at)

    def tag(self, field: bytes) -> int:
        """The tag of a field."""
        (number,) = struct.unpack_from(f"{self.order}H", field)
        return int(number)

    def numbers(self) -> Iterator[tuple[int, int]]:
        """Tags that hold one whole number, and that number."""
        for number in range(self.count):
            field = self.start + 2 + _FIELD * number
            tag, kind, count = self.unpack("HHI", field)
            code = _NUMBERS.get(kind)
            if code and count == 1:
                yield tag, self.unpack(code, field + 8)[0]

    def shorts(self) -> dict[int, list[int]]:
        """Where in the file the 16-bit values of each tag lie."""
        places: dict[int, list[int]] = {}
        for number in range(self.count):
            field = self.start + 2 + _FIELD * number
            tag, kind, count = self.unpack("HHI", field)
            if kind != _SHORT or count > 4:
                continue
            first = field + 8
            if count > 2:
                (first,) = self.unpack("I", first)
            places[tag] = [first + 2 * index for index in range(count)]
        return places


def first_page(data: bytes | memoryview) -> Page | None:
    """The first page of a TIFF; None where it is none, or broken."""
    magic = bytes(data[:4])
    if magic not in TIFF:
        return None
    order = "<" if magic.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
    except struct.error:
        return None
    return Page(data, order, start, count)


def tiff_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of the first page, where they can be found."""
    try:
        found = dict(_big_numbers(data) if data.startswith(BIG_TIFF) else _numbers(data))
        return found[_WIDTH], found[_HEIGHT]
    except (KeyError, OverflowError, struct.error):
        return None


def _numbers(data: bytes) -> Iterator[tuple[int, int]]:
    """Tags of the first page that hold one whole number, and that number."""
    page = first_page(data)
    if page is not None:
        yield from page.numbers()


def _big_numbers(data: bytes) -> Iterator[tuple[int, int]]:
    """The same of a BigTIFF, whose counts and places have 64 bits."""
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}Q", data, 8)
    (count,) = struct.unpack_from(f"{order}Q", data, start)
    first = start + 8
    for number in range(min(count, _MOST_FIELDS)):
        field = first + _BIG_FIELD * number
        tag, kind, values = struct.unpack_from(f"{order}HHQ", data, field)
        code = _NUMBERS.get(kind)
        if code and values == 1:
            (value,) = struct.unpack_from(order + code, data, field + 12)
            yield tag, value


def read_half(
    data: bytes, read: Callable[[bytes], NDArray[Any] | None]
) -> NDArray[np.float16] | None:
    """[H,W] or [H,W,C] where ``data`` is a TIFF of 16-bit floats that ``read`` can read once its
    first page is declared to hold integers (not those with the predictor of floats); else None."""
    page = first_page(data)
    formats = _half_formats(page) if page else []
    if page is None or not formats:
        return None
    declared = bytearray(data)
    for at in formats:
        struct.pack_into(f"{page.order}H", declared, at, _INTEGER)
    codes = read(bytes(declared))
    if codes is None or codes.dtype != np.uint16:
        return None
    return codes.view(np.float16)


def _half_formats(page: Page) -> list[int]:
    """Where the sample formats of a page of half floats stand; [] for any other page."""
    try:
        places = page.shorts()
        bits = {page.unpack("H", at)[0] for at in places[_BITS]}
        formats = {page.unpack("H", at)[0] for at in places[_FORMAT]}
    except (KeyError, struct.error):
        return []
    return places[_FORMAT] if bits == {16} and formats == {_REAL} else []


def declare_alpha(data: memoryview) -> Iterator[bytes | memoryview]:
    """The TIFF ``data``, in pieces, with the tag that its last channel is unassociated alpha.
    OpenCV does not write it, and without it other readers warn or drop the channel.

    The list of fields is written again at the end of the file, one longer.
    """
    page = first_page(data)
    if page is None:
        raise ValueError("not a TIFF")
    begin = page.start + 2
    end = begin + _FIELD * page.count
    alpha = struct.pack(f"{page.order}HHIHH", _EXTRA, _SHORT, 1, _UNASSOCIATED, 0)
    places = range(begin, end, _FIELD)
    fields = [bytes(data[at : at + _FIELD]) for at in places]
    fields.append(alpha)
    fields.sort(key=page.tag)
    padding = b"\0" * (len(data) % 2)  # the list begins at an even place
    place = len(data) + len(padding)
    yield bytes(data[:4]) + struct.pack(f"{page.order}I", place)
    yield data[8:]
    yield padding
    yield struct.pack(f"{page.order}H", len(fields)) + b"".join(fields)
    yield data[end : end + 4]  # where the next page is: nowhere
