"""Which photos, and where their layers go. Light: looks at names, opens only sidecars."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES, PHOTO_SUFFIXES

STDIN = Path("-")
PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and where its layers go. ``path`` is None for stdin; ``base`` is
    ``OUT/relative/stem``."""

    input: str
    path: Path | None
    base: Path

    @property
    def sidecar(self) -> Path:
        """The file that is written last and says that all is done."""
        return self.base.with_name(f"{self.base.name}{sidecar.SUFFIX}")

    @property
    def source(self) -> str:
        """The photo as seen from its sidecar, so that both may be moved together; ``-`` for
        stdin."""
        if self.path is None:
            return "-"
        try:
            return Path(os.path.relpath(self.path.resolve(), self.base.parent.resolve())).as_posix()
        except ValueError:  # two drives of Windows
            return self.path.resolve().as_posix()

    def layer(self, name: str, form: str) -> Path:
        """The file of one layer; npz holds all layers in one."""
        label = "" if form == "npz" else f".{name}"
        return self.base.with_name(f"{self.base.name}{label}{LAYER_SUFFIXES[form]}")

    @property
    def preview(self) -> Path:
        """The contact sheet."""
        return self.base.with_name(f"{self.base.name}.{PREVIEW}.png")


@dataclass(frozen=True, slots=True)
class Found:
    """A photo and its path relative to what was given."""

    path: Path
    relative: Path


def find(inputs: Iterable[Path], recursive: bool, out: Path) -> tuple[list[Found], list[Path]]:
    """(photos in a fixed order, each once; what is not there or holds no photo)."""
    found: dict[Path, Found] = {}
    missing = []
    for given in inputs:
        photos = list(_photos(given, recursive, out))
        for photo in photos:
            found.setdefault(photo.path if given == STDIN else photo.path.resolve(), photo)
        if not photos:
            missing.append(given)
    return list(found.values()), missing


def _photos(given: Path, recursive: bool, out: Path) -> Iterator[Found]:
    if given == STDIN:
        yield Found(STDIN, Path("stdin"))
    elif given.is_dir():
        yield from (
            Found(path, path.relative_to(given)) for path in _walk(given, recursive, out.resolve())
        )
    elif given.exists():
        yield Found(given, Path(given.name))


def _walk(folder: Path, recursive: bool, out: Path) -> Iterator[Path]:
    """Photos below ``folder``, neither hidden nor made by iid; the output folder is not looked
    into."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (here / name).resolve() != out
        )
        made = _made_by_iid(here, names)
        for name in sorted(names):
            if name[0] != "." and name not in made and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                yield here / name
        if not recursive:
            return


def _made_by_iid(folder: Path, names: Iterable[str]) -> set[str]:
    told = (sidecar.read(folder / name) for name in names if name.endswith(sidecar.SUFFIX))
    return {file for facts in told if facts for file in sidecar.files(facts)}


def plan(found: Sequence[Found], out: Path) -> list[Job]:
    """A place for each photo, no two the same: photos whose stems agree, or whose place an earlier
    run gave to a photo of another name, keep their extension, and a number where even that does not
    tell them apart."""
    stems = [item.relative.with_suffix("") for item in found]
    count = Counter(_key(stem) for stem in stems)
    taken: set[str] = set()
    jobs = []
    for item, stem in zip(found, stems, strict=True):
        wanted = (
            stem
            if count[_key(stem)] == 1 and not _is_taken(out / stem, item.path.name)
            else item.relative
        )
        base = next(name for name in _numbered(wanted) if _key(name) not in taken)
        taken.add(_key(base))
        jobs.append(Job(str(item.path), None if item.path == STDIN else item.path, out / base))
    return jobs


def _is_taken(base: Path, name: str) -> bool:
    """Whether a photo that is not called ``name`` has its layers at ``base``."""
    facts = sidecar.read(base.with_name(f"{base.name}{sidecar.SUFFIX}"))
    return facts is not None and facts.get("input") not in (name, None)


def _key(name: Path) -> str:
    """Names that one of the common file systems would take for the same have the same key."""
    return unicodedata.normalize("NFC", name.as_posix()).casefold()


def _numbered(name: Path) -> Iterator[Path]:
    yield name
    number = 2
    while True:
        yield name.with_name(f"{name.name}-{number}")
        number += 1


def check_targets(jobs: Sequence[Job], layers: Sequence[str], form: str) -> None:
    """UsageError where a layer would take the place of a photo."""
    photos = {job.path.resolve() for job in jobs if job.path is not None}
    for job in jobs:
        targets = {job.layer(name, form) for name in layers} | {job.preview}
        if clash := sorted(path for path in targets if path.resolve() in photos):
            raise UsageError(
                f"{clash[0]} is an input and would be overwritten", "choose another -o folder"
            )
