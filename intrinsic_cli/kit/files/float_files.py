"""Which files of floats are read some rows at a time, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import decode, exr, exr_scanlines, hdr_scanlines, tiff_strips
from intrinsic_cli.kit.files.file_parts import Asked, FileParts
from intrinsic_cli.kit.files.float_rows import BROKEN, FloatRows, Reading, Scanlines
from intrinsic_cli.kit.files.formats import other_content
from intrinsic_cli.kit.files.metadata import NOTHING, tiff_metadata
from intrinsic_cli.kit.files.tiff import BIG_TIFF, TIFF

_LONGEST = 64  # bytes that tell what a file is


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of files: how they begin, who opens one (None: it must be read whole), and what is
    told of a damaged one."""

    beginnings: tuple[bytes, ...]
    open: Callable[[FileParts, Asked], Scanlines | None]
    damage: tuple[str, str]


_EXR = _Kind((exr.MAGIC,), exr_scanlines.open_scanlines, (exr.DAMAGED, exr.AGAIN))
_HDR = _Kind((b"#?",), hdr_scanlines.open_scanlines, (decode.DAMAGED, decode.AGAIN))
_TIFF = _Kind((*TIFF, *BIG_TIFF), tiff_strips.open_strips, (decode.RARE, decode.AS_USUAL))


def open_float_rows(asked: Asked, encoding: str) -> tuple[FileParts, FloatRows] | None:
    """The photo of floats that is ``asked`` for, and its file. None where there is none, or it must
    be read whole. ``encoding`` is as of :func:`~intrinsic_cli.kit.files.photo.read_photo`.
    DataError where it is damaged or too large for this machine."""
    try:
        file = FileParts(asked.path)
        kind = _kind_of(file.beginning(_LONGEST), asked.path)
    except (OSError, ValueError):  # whoever reads it whole says what is wrong with it
        return None
    if kind is None or (asked.layer and kind is not _EXR):
        return None
    try:
        lines = kind.open(file, asked)
    except BROKEN as error:
        raise DataError(*kind.damage) from error
    if lines is None:
        return None
    metadata = tiff_metadata(file.mapped()) if kind is _TIFF else NOTHING
    return file, FloatRows(lines, Reading(encoding, metadata, kind.damage))


def _kind_of(beginning: bytes, path: Path) -> _Kind | None:
    """None of those that are read here, or one that only an extra reads?"""
    if other_content(beginning, path.suffix.lower()) is not None:
        return None
    kinds = (_EXR, _HDR, _TIFF)
    return next((kind for kind in kinds if beginning.startswith(kind.beginnings)), None)
