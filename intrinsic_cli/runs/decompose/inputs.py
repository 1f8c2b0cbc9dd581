"""Which photos: files, folders and stdin, and what is left out and why. Light: looks at names, and
opens only sidecars."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES, OtherFormat, other_format
from intrinsic_cli.kit.files.frame_numbers import frames_of, is_sequence
from intrinsic_cli.kit.files.os_errors import advice, forbidden, nothing_at, reason, why_missing
from intrinsic_cli.kit.files.os_errors import missing as where_missing
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.shots import FoundPhoto, as_shots, sequence_at, where_frames_are
from intrinsic_cli.runs.decompose.sidecars import Sidecars

STDIN = Path("-")
#: How photos are known.
SUFFIXES = "photos are known by their suffix: .jpg, .png, .tif, .exr, …"
#: Files looked at to count the photos in subfolders that are left out.
MOST_COUNTED = 20_000


@dataclass(slots=True)
class Found:
    """What the inputs hold: ``photos`` in a fixed order, each once; inputs without any (``empty``);
    how many photos lie in subfolders that are not looked into (``below``); files of formats that
    cannot be read (``others``); and folders that the system does not show (``closed``)."""

    photos: list[FoundPhoto] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)
    below: int = 0
    others: Counter[OtherFormat] = field(default_factory=Counter)
    closed: dict[Path, OSError] = field(default_factory=dict)

    def notes(self) -> Iterator[str]:
        """Sentences about what was left out."""
        if self.below:
            yield f"{_photos(self.below)} in subfolders left out; -r looks into them"
        for form, count in self.others.items():
            yield f"left out: {_times(form, count)}: {form.hint}"
        for folder, error in self.closed.items():
            yield f"left out: the folder {folder}: {reason(error)}"

    def nothing(self) -> DataError:
        """Why there is not a single photo."""
        folders = [path for path in self.empty if is_folder(path)]
        if not folders:
            return _no_file(self.empty)
        error = self.closed.get(folders[0])
        if error is not None:
            message = f"{folders[0]} cannot be looked into: {reason(error)}"
            return DataError(message, advice(error))
        message = f"there are no photos in {folders[0]}"
        if self.below:
            return DataError(f"{message} itself", f"-r finds {_photos(self.below)} below it")
        for form, count in self.others.items():
            return DataError(f"{message} that iid can read, but {_times(form, count)}", form.hint)
        return DataError(message, SUFFIXES)


def find(
    inputs: Iterable[Path],
    recursive: bool,
    out: Path,
    sidecars: Sidecars,
    sequence: bool = False,
) -> Found:
    """All photos among ``inputs``, numbered ones as the shots they make where ``sequence`` asks for
    that. What iid has made, and the folder ``out``, are passed over."""
    found = Found()
    photos: dict[Path, FoundPhoto] = {}
    folders: dict[Path, Path] = {}
    for given in inputs:
        mine = list(_find(given, recursive, out, sidecars, found))
        for photo in mine:
            photos.setdefault(_real_in(folders, photo.path), photo)
        if not mine:
            found.empty.append(given)
    found.photos = list(photos.values())
    if sequence:
        found.photos = as_shots(found.photos)
    return found


def missing(path: Path) -> InputReport:
    """What is told of an input without photos."""
    if is_sequence(path):
        told = f"no frames of that name ({where_frames_are(path)})"
        return InputReport(str(path), "failed", error=told)
    if is_folder(path):
        told = f"no photos in this folder ({SUFFIXES})"
        if not os.access(path, os.R_OK | os.X_OK):
            told = f"permission denied ({forbidden(path)})"
        return InputReport(str(path), "failed", error=told)
    hint = where_missing(path)
    error = f"{why_missing(path)} ({hint})" if hint else why_missing(path)
    return InputReport(str(path), "failed", error=error)


def real(path: Path) -> Path:
    """The path without links, as far as it can be followed."""
    return path if path == STDIN else Path(os.path.realpath(path))


def _real_in(folders: dict[Path, Path], path: Path) -> Path:
    """As :func:`real`, which asks for each part of a path; here each folder is followed once."""
    if path == STDIN:
        return path
    if path.parent not in folders:
        folders[path.parent] = real(path.parent)
    found = folders[path.parent] / path.name
    return real(found) if found.is_symlink() else found


def _find(
    given: Path, recursive: bool, out: Path, sidecars: Sidecars, found: Found
) -> Iterator[FoundPhoto]:
    if given == STDIN:
        yield FoundPhoto(STDIN, Path("stdin"))
    elif is_folder(given):
        folder = _Folder(given, real(out), sidecars, found.closed)
        for path in folder.photos(recursive, found):
            yield FoundPhoto(path, path.relative_to(given))
    elif os.path.exists(given):  # noqa: PTH110  as in is_folder
        yield FoundPhoto(given, Path(given.name))
    elif is_sequence(given) and frames_of(given):
        yield sequence_at(given)


@dataclass(slots=True)
class _Folder:
    """A folder that is searched. Hidden files, the folder ``out`` and what iid made are none of its
    photos."""

    path: Path
    out: Path
    sidecars: Sidecars
    closed: dict[Path, OSError]

    def photos(self, recursive: bool, found: Found) -> Iterator[Path]:
        """Its photos in order; tells ``found`` what is left out."""
        for here, names in self._walk():
            if here != self.path and not recursive:
                break
            for name in self._new(here, names):
                other = other_format(Path(name))
                if other is not None and not other.is_readable:
                    found.others[other] += 1
                elif is_photo(name):
                    yield here / name
        if not recursive:
            found.below += self._count_below()

    def _walk(self) -> Iterator[tuple[Path, Sequence[str]]]:
        """Folders with the files in them, first this one."""
        for place, folders, names in os.walk(self.path, onerror=self._refused):
            here = Path(place)
            folders.sort()
            folders[:] = [name for name in folders if self._is_open(here / name)]
            names.sort()
            shown = [name for name in names if not name.startswith(".")]
            yield here, shown

    def _refused(self, error: OSError) -> None:
        self.closed[Path(error.filename)] = error

    def _is_open(self, folder: Path) -> bool:
        """Is it to be looked into? (Frames that iid made of a video lie in folders.)"""
        if folder.name.startswith(".") or real(folder) == self.out:
            return False
        stem, _, ending = folder.name.rpartition(".")
        beside = folder.with_name(f"{stem}{sidecar.SUFFIX}")
        return ending != "frames" or self.sidecars.read(beside) is None

    def _new(self, folder: Path, names: Iterable[str]) -> list[str]:
        """The files that iid has not made."""
        made: set[str] = set()
        for name in names:
            facts = None
            if name.endswith(sidecar.SUFFIX):
                facts = self.sidecars.read(folder / name)
            if facts is not None:
                made.update(sidecar.files(facts))
        return [name for name in names if name not in made]

    def _count_below(self) -> int:
        """How many photos lie in its subfolders, by their names; very many are not counted out."""
        count = seen = 0
        for here, names in self._walk():
            if here == self.path:
                continue
            seen += 1 + len(names)
            count += sum(is_photo(name) for name in self._new(here, names))
            if seen > MOST_COUNTED:
                break
        return count


def is_folder(path: Path) -> bool:
    """Is there a folder? Path's own question raises for names that are too long."""
    return os.path.isdir(path)  # noqa: PTH112


def is_photo(name: str) -> bool:
    """Is it a photo by its name?"""
    path = Path(name)
    other = other_format(path)
    return path.suffix.lower() in PHOTO_SUFFIXES or (other is not None and other.is_readable)


def _no_file(inputs: Sequence[Path]) -> DataError:
    """There is nothing at any input."""
    if not inputs:
        return DataError("no input given", "give photos, or folders of photos")
    path = inputs[0]
    if is_sequence(path):
        return DataError(f"there are no frames called {path}", where_frames_are(path))
    return DataError(nothing_at(path), where_missing(path))


def _times(form: OtherFormat, count: int) -> str:
    """``a RAW photo``, or ``a RAW photo (3 times)``."""
    return form.name if count == 1 else f"{form.name} ({count} times)"


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"
