"""How large the picture in a file is, by its header alone."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import BinaryIO

from PIL import Image as Pillow

from intrinsic_cli.kit.files import exr
from intrinsic_cli.kit.files.png_chunks import SIGNATURE
from intrinsic_cli.kit.files.tiff import BIG_TIFF, TIFF
from intrinsic_cli.kit.files.tiff_fields import Fields, first_fields

#: (height, width)
Size = tuple[int, int]

EMPTY = (0, 0)
#: Bytes in which headers of PNG and EXR tell the size; long comments may come before that.
_BEGINNING = 1 << 14
_WINDOW = b"dataWindow\0box2i\0" + struct.pack("<i", 16)
#: Of the headers that Pillow reads, those that cost little.
_BY_PILLOW = ("JPEG", "WEBP", "BMP", "GIF", "PPM")
#: Tags of TIFF and EXIF, and orientations in which rows become columns.
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_ON_ITS_SIDE = (5, 6, 7, 8)
#: What files that are no pictures, or broken, make the readers of headers raise.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error)


def picture_size(path: Path) -> Size | None:
    """The size of the upright picture in a file, (0, 0) of an empty one; None where the header
    does not tell it: whoever reads the file says what is wrong with it."""
    try:
        with path.open("rb") as file:
            return _size(file)
    except _BROKEN:
        return None


def _size(file: BinaryIO) -> Size | None:
    start = file.read(_BEGINNING)
    if not start:
        return EMPTY
    if start.startswith(SIGNATURE):
        width, height = struct.unpack_from(">II", start, 16)
        return height, width
    if start.startswith(exr.MAGIC):
        return _size_of_exr(start)
    if start.startswith((*TIFF, *BIG_TIFF)):
        return _size_of_tiff(file)
    return _size_by_pillow(file)


def _size_of_exr(start: bytes) -> Size | None:
    at = start.find(_WINDOW)
    if at < 0:
        return None
    left, top, right, bottom = struct.unpack_from("<4i", start, at + len(_WINDOW))
    return bottom - top + 1, right - left + 1


def _size_of_tiff(file: BinaryIO) -> Size | None:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
        fields = first_fields(data)
    width, height, orientation = (_number(fields, tag) for tag in (_WIDTH, _HEIGHT, _ORIENTATION))
    if width is None or height is None:
        return None
    return _upright(width, height, orientation or 1)


def _number(fields: Fields, tag: int) -> int | None:
    """The one whole number of a tag."""
    field = fields.get(tag)
    return field.numbers[0] if field is not None and field.numbers else None


def _size_by_pillow(file: BinaryIO) -> Size:
    with Pillow.open(file, formats=_BY_PILLOW) as picture:
        width, height = picture.size
        return _upright(width, height, picture.getexif().get(_ORIENTATION, 1))


def _upright(width: int, height: int, orientation: int) -> Size:
    return (width, height) if orientation in _ON_ITS_SIDE else (height, width)
