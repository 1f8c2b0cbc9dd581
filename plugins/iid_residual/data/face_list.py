"""Faces in files: SfSNet's synthetic ones (Sengupta et al. 2018), CelebA's crops, CelebA with
layers that another network predicted, and any folder of faces.

Lists are ``train.csv`` and ``test.csv`` with columns ``albedo,normal,depth,mask,face,light,name``
(an unnamed index may come first); paths are relative to ``train/`` or ``test/`` or absolute, the
word ``None`` stands where there is no such layer. A list of photos has only ``face,name``. ``iid
datasets prepare sfsnet`` and ``… celeba`` make them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from iid_residual.data.write_lists import FACES, SPLITS
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.layer_files import require_files
from intrinsic_cli.kit.data.splits import split_by_group
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

#: The originals' name of our splits.
_LISTS: Mapping[Split, str] = {"train": SPLITS[0], "val": SPLITS[1]}
_COLUMNS = ("albedo", "normal", "mask", "face", "light")
_TRUTH = {"albedo", "normal", "light"}


@dataclass(frozen=True, slots=True)
class Face:
    """The name of one face and the files there are of it, by column; ``face`` is the photo."""

    name: str
    files: Mapping[str, Path]

    @property
    def is_known(self) -> bool:
        """Are there an albedo, normals and light?"""
        return self.files.keys() >= _TRUTH


#: Faces by split.
Faces: TypeAlias = "Mapping[Split, Sequence[Face]]"


def find_faces(folder: Path) -> Faces:
    """The faces of a folder: those of its lists or, where it has none, every picture below it, a
    tenth of which is held out. DataError where there are none; files of lists may be missing."""
    lists = {split: folder / f"{stem}.csv" for split, stem in _LISTS.items()}
    there = {split: path for split, path in lists.items() if path.is_file()}
    if not there:
        return _unlisted(folder)
    found: Faces = {split: read_list(path, folder / _LISTS[split]) for split, path in there.items()}
    faces = [face for split in found.values() for face in split]
    if not faces:
        raise DataError(f"{folder} holds no faces in its lists", f"expected: {FACES}")
    return found


def training_faces(folder: Path) -> list[Face]:
    """The faces of a folder to train on. DataError where there are none or files are missing."""
    place = existing(folder)
    found = find_faces(place)
    everyone = [face for faces in found.values() for face in faces]
    wanted = [path for face in everyone for path in face.files.values()]
    require_files("the dataset of faces", place, wanted, FACES)
    return list(found.get("train", ()))


def existing(folder: Path) -> Path:
    """The folder, ``~`` replaced. DataError where there is none."""
    found = folder.expanduser()
    if not found.is_dir():
        raise DataError(f"{folder} is no folder of faces", f"expected: {FACES}")
    return found


def has_lists(folder: Path) -> bool:
    """Is there a ``train.csv`` or ``test.csv``?"""
    return any((folder / f"{stem}.csv").is_file() for stem in SPLITS)


def read_list(path: Path, base: Path) -> list[Face]:
    """The faces of a list; relative paths start at ``base``."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if "face" not in (reader.fieldnames or ()):
            raise DataError(f"{path} has no column face", f"expected: {FACES}")
        rows = list(reader)
    faces = []
    for number, row in enumerate(rows):
        files = {column: base / row[column] for column in _COLUMNS if _names_a_file(row, column)}
        if "face" in files:
            faces.append(Face(f"{number:06d}_{files['face'].stem}", files))
    return faces


def _names_a_file(row: Mapping[str, str | None], column: str) -> bool:
    return row.get(column) not in (None, "", "None")


def _unlisted(folder: Path) -> Faces:
    """Photos without truth."""
    paths = sorted(path for path in folder.rglob("*") if _is_photo(path))
    if not paths:
        raise DataError(f"{folder} holds no photos of faces", "give a folder of faces cut out")
    faces = [Face(path.relative_to(folder).as_posix(), {"face": path}) for path in paths]
    return split_by_group(faces, lambda face: face.name)


def _is_photo(path: Path) -> bool:
    shown = not path.name.startswith(".") and path.is_file()
    return shown and path.suffix.lower() in PHOTO_SUFFIXES
