"""Colours said by numbers (ITU-T H.273): ``nclx`` in HEIF and AVIF, ``cICP`` in PNG. Light."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from intrinsic_cli.kit.files.png_chunks import SIGNATURE, png_chunks

#: Numbers that say nothing.
UNTOLD = 2
_MOST_BOXES = 1 << 12


@dataclass(frozen=True, slots=True)
class CodePoints:
    """The numbers of the ``primaries`` and of the ``transfer`` curve, and the ``bits`` of each
    channel (0: it does not say)."""

    primaries: int = UNTOLD
    transfer: int = UNTOLD
    bits: int = 0

    def __bool__(self) -> bool:
        return (self.primaries, self.transfer) != (UNTOLD, UNTOLD)


UNSAID = CodePoints()


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of the ISO base media format (ISO/IEC 14496-12): its kind and what is in it."""

    kind: bytes
    content: memoryview

    def boxes(self, start: int = 0) -> Iterator[_Box]:
        """The boxes in it, from a place on. What breaks off is left out."""
        at = start
        for _ in range(_MOST_BOXES):
            if at + 8 > len(self.content):
                return
            length, kind = struct.unpack_from(">I4s", self.content, at)
            head = 8
            if length == 1 and at + 16 <= len(self.content):
                (length,) = struct.unpack_from(">Q", self.content, at + 8)
                head = 16
            end = len(self.content) if length == 0 else at + length
            if length and length < head:
                return
            yield _Box(kind, self.content[at + head : end])
            at = end

    def find(self, kind: bytes, start: int = 0) -> _Box | None:
        """The first box of a kind in it."""
        return next((box for box in self.boxes(start) if box.kind == kind), None)


def read_code_points(data: bytes) -> CodePoints:
    """What an image file says of its colours by numbers; nothing where it does not, or is
    damaged."""
    try:
        if data.startswith(SIGNATURE):
            return _of_png(data)
        if data[4:8] == b"ftyp":
            return _of_heif(_Box(b"", memoryview(data)))
    except (struct.error, IndexError):
        pass
    return UNSAID


def _of_png(data: bytes) -> CodePoints:
    """The chunk cICP, which lies before the picture (PNG, third edition)."""
    for kind, content in png_chunks(data):
        if kind == b"cICP" and len(content) == 4:
            return CodePoints(content[0], content[1])
        if kind == b"IDAT":
            break
    return UNSAID


def _of_heif(file: _Box) -> CodePoints:
    """The properties of the picture that is shown (ISO/IEC 23008-12): of its colours, and of the
    depth of its channels."""
    meta = file.find(b"meta")
    item = meta.find(b"pitm", 4) if meta else None
    properties = meta.find(b"iprp", 4) if meta else None
    listed = properties.find(b"ipco") if properties else None
    if item is None or properties is None or listed is None:
        return UNSAID
    known = list(listed.boxes())
    points = UNSAID
    for number in _properties_of(_item_number(item), properties):
        if not 0 < number <= len(known):
            continue
        box = known[number - 1]
        if box.kind == b"colr" and bytes(box.content[:4]) == b"nclx":
            primaries, transfer = struct.unpack_from(">HH", box.content, 4)
            points = CodePoints(primaries, transfer, points.bits)
        if box.kind == b"pixi" and len(box.content) > 5:
            points = CodePoints(points.primaries, points.transfer, box.content[5])
    return points


def _item_number(box: _Box) -> int:
    """Of the primary item."""
    code = ">H" if box.content[0] == 0 else ">I"
    (number,) = struct.unpack_from(code, box.content, 4)
    return int(number)


def _properties_of(item: int, properties: _Box) -> Iterator[int]:
    """The numbers, from 1, of the properties that an item has."""
    for box in properties.boxes():
        if box.kind != b"ipma":
            continue
        version, wide = box.content[0], box.content[3] & 1
        entry = ">HB" if version < 1 else ">IB"
        code, mask = (">H", 0x7FFF) if wide else (">B", 0x7F)
        (count,) = struct.unpack_from(">I", box.content, 4)
        at = 8
        for _ in range(min(count, _MOST_BOXES)):
            number, associated = struct.unpack_from(entry, box.content, at)
            at += struct.calcsize(entry)
            for _ in range(associated):
                (index,) = struct.unpack_from(code, box.content, at)
                at += struct.calcsize(code)
                if number == item:
                    yield index & mask
