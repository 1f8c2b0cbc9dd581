"""The files of three folders that do not belong together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.layouts import UNPAIRED
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.os_errors import missing

NAMES = ("photo", "albedo", "shading")


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file, its path below the folder it was found in, and its mask's file."""

    path: Path
    relative: str
    mask: Path | None


def find_files(name: str, folder: Path, masks: Path | None) -> list[LayerFile]:
    """The image files below ``folder``, by path; masks have equal names below ``masks/NAME``.
    DataError where there are none."""
    expected = f"expected: {UNPAIRED}"
    if not folder.is_dir():
        where = "" if folder.exists() else missing(folder)
        raise DataError(f"there is no folder {folder} for {name}", where or expected)
    mask_of = dict(_walk(masks / name)) if masks else {}
    found = [
        LayerFile(path, path.relative_to(folder).as_posix(), mask_of.get(key))
        for key, path in _walk(folder)
    ]
    if not found:
        raise DataError(f"{folder} holds no picture for {name}", expected)
    return sorted(found, key=lambda file: file.relative)


def _walk(folder: Path) -> Iterator[tuple[Path, Path]]:
    """(path below ``folder`` without suffix, path) of every image file that is not hidden."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in PHOTO_SUFFIXES:
                continue
            key = path.relative_to(folder).with_suffix("")
            yield key, path
