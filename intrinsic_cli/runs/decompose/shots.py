"""Numbered photos as the shots whose frames they are. Light: looks at names."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES, VIDEO, other_format
from intrinsic_cli.kit.files.frame_numbers import Numbering, numbering_of, numberings
from intrinsic_cli.kit.files.os_errors import missing

NUMBERS = "write %04d, or ####, for numbers of four digits, %d for those without zeros"
#: How like the names of shots are: beauty and beauty_v2 are .8, cat and dog 0.
_LIKE = 0.7
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A photo and its path relative to what was given. Of a frame sequence ``path`` is the pattern
    of its names, and ``relative`` ends in the name of the shot."""

    path: Path
    relative: Path


def sequence_at(pattern: Path) -> FoundPhoto:
    """The sequence that ``a.%04d.png``, or ``a.####.png``, names."""
    numbering = numbering_of(pattern.name)
    assert numbering is not None  # it was asked before
    return _sequence(pattern.parent, Path(), numbering)


def as_shots(photos: Iterable[FoundPhoto]) -> list[FoundPhoto]:
    """Photos, with one in place of all those that are frames of the same shot. One frame stands for
    all that lie beside it; what is not numbered, or alone, stays a photo, and videos are videos."""
    shots: dict[Path, Mapping[str, Numbering]] = {}
    found: dict[Path, FoundPhoto] = {}
    for photo in photos:
        folder = photo.path.parent
        if folder not in shots:
            shots[folder] = _shots_in(folder)
        numbering = shots[folder].get(photo.path.name)
        one = photo
        if numbering is not None:
            one = _sequence(folder, photo.relative.parent, numbering)
        found.setdefault(one.path, one)
    return list(found.values())


def where_frames_are(pattern: Path) -> str:
    """What to do about a pattern that no file has: the frames that were meant, of that shot in
    another format or of one called much like it, or one file called so, else how patterns are
    written."""
    folder, wanted = pattern.parent, numbering_of(pattern.name)
    if not folder.is_dir():
        return missing(pattern)
    there: dict[str, str] = {}
    for numbering in _shots_in(folder).values():
        there.setdefault(numbering.shot, _as_written(numbering, pattern))
    near = difflib.get_close_matches(wanted.shot, there, n=1, cutoff=_LIKE) if wanted else []
    if near:
        return f"did you mean {folder / there[near[0]]}?"
    named = ", ".join(sorted(there.values())[:_MOST_NAMED])
    frames = f"frames that are there: {named}" if named else ""
    return "; ".join(filter(None, [missing(pattern), frames, NUMBERS]))


def _as_written(numbering: Numbering, pattern: Path) -> str:
    """The pattern of these frames, with # where the user writes so."""
    if "#" not in pattern.name:
        return numbering.pattern
    return f"{numbering.before}{'#' * numbering.width}{numbering.after}"


def _shots_in(folder: Path) -> Mapping[str, Numbering]:
    try:
        names = os.listdir(folder)  # noqa: PTH208  names only
    except OSError:
        return {}
    return numberings(filter(_may_be_frame, names))


def _may_be_frame(name: str) -> bool:
    """Is it a picture by its name, and no video?"""
    path = Path(name)
    other = other_format(path)
    readable = other is not None and other is not VIDEO and other.is_readable
    return readable or path.suffix.lower() in PHOTO_SUFFIXES


def _sequence(folder: Path, relative: Path, numbering: Numbering) -> FoundPhoto:
    """Shots whose frames have only numbers are called as their folder is."""
    name = numbering.shot or Path(os.path.realpath(folder)).name or "frames"
    suffix = Path(numbering.after).suffix
    return FoundPhoto(folder / numbering.pattern, relative / f"{name}{suffix}")
