"""TIFFs that OpenCV and Pillow cannot read: half floats, colours in planes, deep gray with alpha.

A TIFF's first page is described by a list of fields; what the file holds can be declared anew by
writing another list at its end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.tiff_fields import (
    LONG,
    LONG8,
    SHORT,
    Field,
    Fields,
    first_fields,
    layout_of,
    pack_fields,
    read_fields,
    whole,
)

#: How a TIFF of either byte order begins; the last two are BigTIFFs.
TIFF = (b"II*\0", b"MM\0*")
BIG_TIFF = (b"II+\0", b"MM\0+")

# Tags.
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 262, 277
_PLANAR, _PREDICTOR, _TILE_WIDTH, _EXTRA, _FORMAT = 284, 317, 322, 338, 339
_ORIENTATION = 274
_PROFILE = 34675
#: Where other lists of fields are: those of smaller copies, of EXIF and of places.
_LISTS = (330, 34665, 34853)
#: Where the pieces of the picture are, and how long: strips, or tiles.
_PIECES = (273, 279, 324, 325)
# Values of theirs.
_UPRIGHT = (1, 2, 3, 4)  # of Orientation: rows are rows, perhaps mirrored
_INTEGER, _REAL = 1, 3  # of SampleFormat
_IN_PLANES = 2  # of PlanarConfiguration
_WHITE_IS_ZERO, _GRAY, _COLOUR = 0, 1, 2  # of PhotometricInterpretation

#: No list of fields is longer; bytes.
_LONGEST = 1 << 24

Reader = Callable[[bytes], NDArray[Any] | None]


def tiff_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of the first page, where they can be found."""
    fields = first_fields(data)
    width, height = _number(fields, _WIDTH), _number(fields, _HEIGHT)
    if width is None or height is None:
        return None
    return width, height


def tiff_profile(data: bytes | memoryview) -> bytes:
    """The colour profile of the first page, b"" where it has none."""
    field = first_fields(data).get(_PROFILE)
    return field.values if field else b""


def read_tiff(data: bytes, read: Reader) -> NDArray[Any] | None:
    """[H,W] or [H,W,C] of a TIFF of more than 8 bits, by a reader that knows only pixel after pixel
    of gray, RGB or RGBA, whole numbers or floats; None where there is no way."""
    fields = first_fields(data)
    if _photometric(fields) not in (_WHITE_IS_ZERO, _GRAY, _COLOUR):
        return None
    half = _is_half(fields)
    if half:
        samples = len(fields[_FORMAT].numbers)
        fields[_FORMAT] = whole(SHORT, *[_INTEGER] * samples)
    if not half and not _is_odd(fields):
        codes = read(data)
    elif data.startswith(BIG_TIFF):  # too long to be declared anew
        return None
    else:
        codes = _read_odd(data, fields, read)
    if codes is None:
        return None
    if half:
        return codes.view(np.float16) if codes.dtype == np.uint16 else None
    return _inverted(codes) if _photometric(fields) == _WHITE_IS_ZERO else codes


def as_classic(data: bytes) -> bytes:
    """A BigTIFF as a TIFF of the older kind with its first page alone, which all readers know; any
    other file, and a BigTIFF that is too long for that, as it is. EXIF is left behind."""
    layout = layout_of(data)
    longest = 1 << 32
    if layout is None or not data.startswith(BIG_TIFF) or len(data) + _LONGEST >= longest:
        return data
    fields: dict[int, Field] = {}
    for tag, field in read_fields(data, layout).items():
        numbers = field.numbers
        if field.kind in LONG8:
            if tag in _LISTS or max(numbers, default=longest) >= longest:
                continue
            field = whole(LONG, *numbers)
        fields[tag] = field
    older = TIFF[BIG_TIFF.index(data[:4])]
    return redeclared(data, fields, older)


def is_odd(data: bytes) -> bool:
    """Is it laid out so that Pillow, too, would read nonsense?"""
    return _is_odd(first_fields(data))


def lies_on_its_side(data: bytes) -> bool:
    """Do the rows of its first page become columns of the upright picture?"""
    return _number(first_fields(data), _ORIENTATION) not in (None, *_UPRIGHT)


def _inverted(codes: NDArray[Any]) -> NDArray[Any]:
    """Deep gray (and alpha) of which white is 0; OpenCV turns only 8 bits round."""
    if codes.dtype != np.uint16:
        return codes
    gray = np.atleast_3d(codes).copy()
    gray[..., 0] = 65535 - gray[..., 0]
    return gray


def redeclared(data: bytes, fields: Fields, beginning: bytes = b"") -> bytes:
    """The TIFF with other ``fields`` of its first page; there is no second. ``beginning``: the mark
    that it begins with instead of its own."""
    layout = layout_of(data)
    if layout is None:
        raise ValueError("not a TIFF")
    padding = b"\0" * (len(data) % 2)  # the list begins at an even place
    place = len(data) + len(padding)
    start = struct.pack(f"{layout.order}I", place)
    rest = memoryview(data)[8:]  # large pictures have no room for more than one copy
    end = pack_fields(fields, layout.order, place)
    return b"".join([beginning or data[:4], start, rest, padding, end])


def _is_half(fields: Fields) -> bool:
    """Floats of 16 bits?"""
    if _BITS not in fields or _FORMAT not in fields:
        return False
    return set(fields[_BITS].numbers) == {16} and set(fields[_FORMAT].numbers) == {_REAL}


def _is_odd(fields: Fields) -> bool:
    """Gray with alpha in planes; or deep, and either gray with alpha or in planes?"""
    bits = fields[_BITS].numbers if _BITS in fields else ()
    samples = _number(fields, _SAMPLES) or 1
    in_planes = _number(fields, _PLANAR) == _IN_PLANES
    if min(bits, default=8) <= 8:
        return samples == 2 and in_planes and set(bits) == {8}
    return samples == 2 or (samples > 1 and in_planes)


def _photometric(fields: Fields) -> int:
    """How the numbers are meant; files that do not say are gray or RGB by their channels."""
    said = _number(fields, _PHOTOMETRIC)
    if said is not None:
        return said
    return _COLOUR if (_number(fields, _SAMPLES) or 1) > 2 else _GRAY


def _read_odd(data: bytes, fields: Fields, read: Reader) -> NDArray[Any] | None:
    """What is declared otherwise; planes one by one, gray with alpha as a picture of twice the
    width."""
    if not _is_odd(fields):
        return read(redeclared(data, fields))
    if _number(fields, _PLANAR) == _IN_PLANES:
        samples = _number(fields, _SAMPLES) or 1
        wanted = min(samples, 4)
        planes = []
        for index in range(wanted):
            one = _plane(fields, index, samples)
            codes = read(redeclared(data, one)) if one else None
            if codes is None or codes.ndim != 2:
                return None
            planes.append(codes)
        return np.stack(planes, axis=-1)
    if _number(fields, _PREDICTOR) not in (None, 1):
        return None
    codes = read(redeclared(data, _widened(fields)))
    if codes is None or codes.ndim != 2:
        return None
    return codes.reshape(codes.shape[0], -1, 2)


def _plane(fields: Fields, index: int, samples: int) -> Fields:
    """The fields of one plane alone, as a gray picture; {} where its pieces are not there."""
    plane = {**_as_gray(fields), _PLANAR: whole(SHORT, 1)}
    for tag in _PIECES:
        if tag not in fields:
            continue
        numbers = fields[tag].numbers
        pieces, rest = divmod(len(numbers), samples)
        if not pieces or rest:
            return {}
        mine = numbers[pieces * index : pieces * (index + 1)]
        plane[tag] = whole(LONG, *mine)
    return plane


def _widened(fields: Fields) -> Fields:
    """The fields of the picture of twice the width whose pixels are gray, alpha, gray, …"""
    wide = _as_gray(fields)
    for tag in (_WIDTH, _TILE_WIDTH):
        width = _number(fields, tag)
        if width is not None:
            wide[tag] = whole(LONG, 2 * width)
    return wide


def _as_gray(fields: Fields) -> dict[int, Any]:
    """The same fields for a single channel without alpha."""
    gray = {tag: field for tag, field in fields.items() if tag not in (_EXTRA, _PROFILE)}
    for tag in (_BITS, _FORMAT):
        if tag in gray and gray[tag].numbers:
            gray[tag] = whole(SHORT, gray[tag].numbers[0])
    gray[_SAMPLES] = whole(SHORT, 1)
    gray[_PHOTOMETRIC] = whole(SHORT, _GRAY)
    return gray


def _number(fields: Fields, tag: int) -> int | None:
    """The one whole number of a tag."""
    field = fields.get(tag)
    if field is None or len(field.numbers) != 1:
        return None
    return field.numbers[0]
