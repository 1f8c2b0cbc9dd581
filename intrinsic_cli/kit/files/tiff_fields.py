"""The lists of fields that TIFFs and EXIF are made of (TIFF 6.0, section 2). Light.

A list is read as tag → field, whose values are kept as little-endian bytes, so that they can be
written into a file of either byte order.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

#: Types of fields: the ones used here.
BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7
#: Those that only a BigTIFF has; the first is that of its places.
LONG8 = (16, 17, 18)
PLACE = LONG8[0]
#: Type → bytes of a value, and bytes of a number in it (a rational is two numbers). The last are
#: those of BigTIFF.
_SIZES = {
    **{1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2)},
    **{9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8), 13: (4, 4), 16: (8, 8), 17: (8, 8)},
    18: (8, 8),
}
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_FIELDS = 1 << 12


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its type (``kind``) and its values as little-endian bytes."""

    kind: int
    values: bytes

    @property
    def count(self) -> int:
        """How many values it has."""
        size, _ = _SIZES[self.kind]
        return len(self.values) // size

    @property
    def unit(self) -> int:
        """Bytes of a number in it."""
        return _SIZES[self.kind][1]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Its values where they are whole numbers without sign; () otherwise."""
        code = _WHOLE.get(self.kind)
        if code is None:
            return ()
        return struct.unpack(f"<{self.count}{code}", self.values)


Fields = Mapping[int, Field]


def whole(kind: int, *numbers: int) -> Field:
    """A field of whole numbers."""
    code = f"<{len(numbers)}{_WHOLE[kind]}"
    return Field(kind, struct.pack(code, *numbers))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a TIFF is laid out: ``order`` of bytes for struct, where its first list is, and how its
    lists are written: ``count`` of fields, ``entry`` of a field, and ``place`` in the file."""

    order: str
    start: int
    count: str = "H"
    entry: str = "HHI"
    place: str = "I"

    def unpack(self, data: bytes | memoryview, code: str, at: int) -> tuple[int, ...]:
        """Numbers at a place. struct.error beyond the end."""
        if not 0 <= at <= len(data):
            raise struct.error("beyond the end")
        return struct.unpack_from(self.order + code, data, at)

    def pack(self, code: str, *numbers: int) -> bytes:
        """Numbers as it has them."""
        return struct.pack(self.order + code, *numbers)

    def end(self, count: int) -> int:
        """Where the first list ends, if it has so many fields."""
        entry = struct.calcsize(f"={self.entry}{self.place}")
        rest = struct.calcsize(f"={self.count}{self.place}")
        return self.start + rest + entry * count


#: Count, entry and place of a TIFF, and of a BigTIFF.
_CLASSIC = ("H", "HHI", "I")
_BIG = ("Q", "HHQ", "Q")


def layout_of(data: bytes | memoryview) -> Layout | None:
    """The layout of a TIFF, a BigTIFF, or an EXIF block; None where it is none of them."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
    if not order or len(data) < 16:
        return None
    (magic,) = struct.unpack_from(f"{order}H", data, 2)
    if magic == 42:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        return Layout(order, start)
    if magic == 43:
        (start,) = struct.unpack_from(f"{order}Q", data, 8)
        return Layout(order, start, *_BIG)
    return None


def read_fields(
    data: bytes | memoryview, layout: Layout, at: int | None = None
) -> dict[int, Field]:
    """The fields of the list at a place (None: the first). What lies beyond the end of the file, or
    is of an unknown type, is left out."""
    start = layout.start if at is None else at
    found: dict[int, Field] = {}
    try:
        (count,) = layout.unpack(data, layout.count, start)
        first = start + struct.calcsize(f"={layout.count}")
        size = struct.calcsize(f"={layout.entry}{layout.place}")
        for number in range(min(count, _MOST_FIELDS)):
            tag, field = _read_field(data, layout, first + size * number)
            if field is not None:
                found[tag] = field
    except struct.error:  # the list breaks off
        pass
    return found


def first_fields(data: bytes | memoryview) -> dict[int, Field]:
    """The fields of a TIFF's first page; {} where it is no TIFF."""
    layout = layout_of(data)
    return read_fields(data, layout) if layout else {}


def _read_field(data: bytes | memoryview, layout: Layout, at: int) -> tuple[int, Field | None]:
    """The tag and the field at a place of a list."""
    tag, kind, count = layout.unpack(data, layout.entry, at)
    if kind not in _SIZES:
        return tag, None
    place = at + struct.calcsize(f"={layout.entry}")
    size, unit = _SIZES[kind]
    length = size * count
    if length > struct.calcsize(f"={layout.place}"):
        (place,) = layout.unpack(data, layout.place, place)
    if place + length > len(data):
        return tag, None
    values = bytes(data[place : place + length])
    return tag, Field(kind, _ordered(values, unit, layout.order))


def pack_fields(
    fields: Fields, order: str, at: int, following: int = 0, big: bool = False
) -> bytes:
    """A list to be written at the even place ``at`` of a file with 32-bit places, or of a ``big``
    one with those of 64 bits, its long values behind it; ``following`` is where the next list is
    (0: nowhere)."""
    codes = _BIG if big else _CLASSIC
    layout = Layout(order, at, *codes)
    short = struct.calcsize(f"={layout.place}")
    behind = layout.end(len(fields))
    entries, values = layout.pack(layout.count, len(fields)), bytearray()
    for tag in sorted(fields):
        field = fields[tag]
        data = _ordered(field.values, field.unit, order)
        if len(data) > short:
            place = layout.pack(layout.place, behind + len(values))
            values += data + b"\0" * (len(data) % 2)
        else:
            place = data.ljust(short, b"\0")
        entries += layout.pack(layout.entry, tag, field.kind, field.count) + place
    return entries + layout.pack(layout.place, following) + bytes(values)


def _ordered(values: bytes, unit: int, order: str) -> bytes:
    """Little-endian numbers of ``unit`` bytes in the other order, or back."""
    if order == "<" or unit == 1:
        return values
    swapped = bytearray(len(values))
    for byte in range(unit):
        swapped[byte::unit] = values[unit - 1 - byte :: unit]
    return bytes(swapped)
