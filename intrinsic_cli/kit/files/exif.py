"""EXIF: what is kept of it for pictures made of a photo. Light.

Kept are camera, lens, exposure, date, place, author and copyright. Left behind is what would be
untrue of another picture: its size, thumbnail and turn (pixels are stored upright), the notes of
the maker, which hold places in the old file, and the colour space, which becomes sRGB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from intrinsic_cli.kit.files.tiff_fields import (
    ASCII,
    LONG,
    PLACE,
    SHORT,
    Field,
    Fields,
    first_fields,
    layout_of,
    pack_fields,
    read_fields,
    whole,
)

#: Tags of the first list that are true of every picture made of a photo: description, make, model,
#: software, date, artist, host, copyright; and the five that Windows writes.
_MAIN = (270, 271, 272, 305, 306, 315, 316, 33432, *range(40091, 40096))
#: Tags that lead to further lists.
_CAMERA, _PLACE, _RELATED = 34665, 34853, 40965
#: Tags of the camera's list that are not kept: notes of the maker, colour space, size, the list of
#: related files, and the one from which the thumbnail of some makers hangs.
_LEFT = (37500, 40961, 40962, 40963, _RELATED, 41729)
_ORIENTATION, _COLOUR_SPACE = 274, 40961
_SRGB = 1
_MARK = b"Exif\0\0"
#: More is no description of a photo, and would not fit into a JPEG.
LONGEST = 60_000
_LONGEST_FIELD = 8192


@dataclass(frozen=True, slots=True)
class Exif:
    """What describes a photo: the ``main`` fields, those of its ``camera`` and of the ``place``."""

    main: Fields = field(default_factory=dict)
    camera: Fields = field(default_factory=dict)
    place: Fields = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.main or self.camera or self.place)


def read_exif(block: bytes | memoryview) -> Exif:
    """What is kept of an EXIF block or of a TIFF's own fields; nothing where it is damaged."""
    data = _without_mark(block)
    layout = layout_of(data)
    if layout is None:
        return Exif()
    first = read_fields(data, layout)
    main = {tag: first[tag] for tag in _MAIN if tag in first}
    camera = {tag: one for tag, one in _below(data, first, _CAMERA).items() if tag not in _LEFT}
    place = _below(data, first, _PLACE)
    return _limited(Exif(_short(main), _short(camera), _short(place)))


def is_adobe_rgb(block: bytes | memoryview) -> bool:
    """Does the camera say by the name R03 that its colours are those of Adobe RGB? (DCF 2.0; it
    needs no profile then.)"""
    data = _without_mark(block)
    camera = _below(data, first_fields(data), _CAMERA)
    index = _below(data, camera, _RELATED).get(1)
    return index is not None and index.values.startswith(b"R03")


def pack_exif(
    exif: Exif, order: str = "<", at: int = 0, more: Fields | None = None, big: bool = False
) -> bytes:
    """The lists of ``exif`` to be written at ``at`` of a file (a ``big`` one has places of 64
    bits), the main one first, with ``more`` fields in it. Colours are declared to be sRGB and the
    picture to be upright."""
    main = {**exif.main, _ORIENTATION: whole(SHORT, 1), **(more or {})}
    below: dict[int, Fields] = {_CAMERA: {**exif.camera, _COLOUR_SPACE: whole(SHORT, _SRGB)}}
    if exif.place:
        below[_PLACE] = exif.place
    # The places of further lists are known once all but their numbers is there.
    kind = PLACE if big else LONG
    for tag in below:
        main[tag] = whole(kind, 0)
    behind = at + len(pack_fields(main, order, at, big=big))
    lists = b""
    for tag, fields in below.items():
        place = behind + len(lists)
        main[tag] = whole(kind, place)
        lists += pack_fields(fields, order, place, big=big)
    return pack_fields(main, order, at, big=big) + lists


def exif_block(exif: Exif) -> bytes:
    """A block of its own, as PNG, WebP and (behind ``Exif``) JPEG hold it; b"" for nothing."""
    if not exif:
        return b""
    return b"II*\0\x08\0\0\0" + pack_exif(exif, at=8)


def _without_mark(block: bytes | memoryview) -> bytes | memoryview:
    """The list of fields itself, which some formats mark as EXIF."""
    return block[len(_MARK) :] if block[: len(_MARK)] == _MARK else block


def _below(data: bytes | memoryview, fields: Mapping[int, Field], tag: int) -> dict[int, Field]:
    """The list that a field leads to."""
    layout = layout_of(data)
    found = fields.get(tag)
    if layout is None or found is None or len(found.numbers) != 1:
        return {}
    return read_fields(data, layout, found.numbers[0])


def _short(fields: Fields) -> Fields:
    """Without what is too long to describe a photo, or of types that EXIF does not have."""
    return {
        tag: one
        for tag, one in fields.items()
        if 0 < len(one.values) <= _LONGEST_FIELD and one.kind <= _LAST_TYPE
    }


def _limited(exif: Exif) -> Exif:
    """If all of it is too long, the texts of the main list alone."""
    if len(exif_block(exif)) <= LONGEST:
        return exif
    texts = {tag: one for tag, one in exif.main.items() if one.kind == ASCII}
    short = Exif(texts)
    return short if len(exif_block(short)) <= LONGEST else Exif()


_LAST_TYPE = 12
