"""Faces listed in ``train.csv`` and ``test.csv``: SfSNet's synthetic faces (Sengupta et al. 2018),
CelebA crops, and CelebA with layers that another network predicted.

Columns ``albedo,normal,depth,mask,face,light,name`` (an unnamed index may come first) with paths
relative to ``train/`` or ``test/`` or absolute; ``None`` where there is no such layer. A CelebA
list has only ``face,name``. The lists are made by ``iid datasets prepare sfsnet`` and ``… celeba``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.faces.sfs_light import (
    decode_normals,
    light_in_house_axes,
    normals_in_house_axes,
    read_light,
    shade,
)
from intrinsic_cli.kit.data.layer_files import read_mask, refuse_empty, require_files
from intrinsic_cli.kit.data.layouts import FACES
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split
    from intrinsic_cli.api.outputs import Image

LISTS: Mapping[Split, str] = {"train": "train", "val": "test"}
_COLUMNS = ("albedo", "normal", "mask", "face", "light")
_TRUTH = {"albedo", "normal", "light"}
_OFFERED_TRUTH = frozenset({"albedo", "normals", "shading", "light"})


@dataclass(frozen=True, slots=True)
class Face:
    """The name of one face and the files there are of it, by column."""

    name: str
    files: dict[str, Path]


class Faces(TrainingReader[Face]):
    """Faces of the lists; ``test`` is the ``val`` split. Numbers are taken as stored, without a
    transfer curve: the synthetic faces are albedo · shading in them.

    Normals and light come as everywhere in ``iid``: x right, y up, z to the viewer, the light
    ``facts["light"]`` [27] as :mod:`intrinsic_cli.kit.data.harmonics` has it. ``shading`` [H,W,3]
    is computed from both. A list of CelebA photos has no truth."""

    protocol = "faces"

    def __init__(self, folder: Path, name: str = "sfsnet") -> None:
        self.name = name
        lists = {split: folder / f"{stem}.csv" for split, stem in LISTS.items()}
        there = {split: path for split, path in lists.items() if path.is_file()}
        if not there:
            hint = f"make them: iid datasets prepare {name} {folder} {folder}"
            raise DataError(f"{folder} has neither train.csv nor test.csv", hint)
        self._entries = {
            split: read_list(path, folder / LISTS[split]) for split, path in there.items()
        }
        faces = [face for entries in self._entries.values() for face in entries]
        if not faces:
            refuse_empty("faces in its lists", folder, FACES)
        wanted = [path for face in faces for path in face.files.values()]
        require_files(name, folder, wanted, FACES)
        self.offers = frozenset({"photo", "mask"})
        if all(face.files.keys() >= _TRUTH for face in faces):
            self.offers |= _OFFERED_TRUTH

    def _case(self, entry: Face) -> Case:
        files = entry.files
        photo = _read(files["face"])
        mask = read_mask(files["mask"]) if "mask" in files else np.ones(photo.shape[:2], bool)
        if not files.keys() >= _TRUTH:
            return Case(entry.name, photo, {}, mask)
        normals = decode_normals(_read(files["normal"]))
        light = read_light(files["light"])
        truth = {
            "albedo": _read(files["albedo"]),
            "normals": normals_in_house_axes(normals),
            "shading": shade(normals, light),
        }
        return Case(entry.name, photo, truth, mask, {"light": light_in_house_axes(light)})


def read_list(path: Path, base: Path) -> list[Face]:
    """The faces of a list; relative paths start at ``base``. The word ``None`` is no path."""
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


def _read(path: Path) -> Image:
    return read_photo(path, "linear").pixels


def open_sfsnet(path: Path) -> Faces:
    """Faces with layers."""
    return Faces(path)


def open_celeba(path: Path) -> Faces:
    """Photos of faces, perhaps with predicted layers."""
    return Faces(path, "celeba")
