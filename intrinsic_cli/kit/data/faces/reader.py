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
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.layer_files import read_mask, refuse_empty, require_files
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo

Image = NDArray[np.float32]

LAYOUT = "train.csv and test.csv with the columns albedo,normal,depth,mask,face,light,name (or face,name)"
LISTS: Mapping[Split, str] = {"train": "train", "val": "test"}
_TRUTH = ("albedo", "normal", "light")
# Second-order spherical harmonics with the Lambertian attenuation folded in, SfSNet's order.
_C = (
    np.sqrt(np.pi) / 2,
    np.sqrt(np.pi / 3),
    np.sqrt(5 * np.pi) / 16,
    np.sqrt(15 * np.pi) / 8,
    np.sqrt(15 * np.pi) / 16,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One face: its name and the files there are, by column."""

    name: str
    files: dict[str, Path]


class Faces(TrainingReader):
    """Faces of the lists; ``test`` is the ``val`` split. Numbers are taken as stored, without a
    transfer curve: the synthetic faces are albedo · shading in them.

    Normals come as everywhere in ``iid`` (x right, y up, z to the viewer, unit length); the files
    have x down, y right, and bytes (n·128 + 128). ``shading`` [H,W,3] is computed from normals and
    light, ``facts["light"]`` [27] is the light in the files' own axes. A list of CelebA photos has
    no truth."""

    protocol = "faces"

    def __init__(self, folder: Path, name: str = "sfsnet") -> None:
        self.name = name
        lists = {split: folder / f"{stem}.csv" for split, stem in LISTS.items()}
        if not any(path.is_file() for path in lists.values()):
            hint = f"make them: iid datasets prepare {name} {folder} {folder}"
            raise DataError(f"{folder} has neither train.csv nor test.csv", hint)
        self._entries: dict[Split, list[_Row]] = {
            split: read_list(path, folder / LISTS[split])
            for split, path in lists.items()
            if path.is_file()
        }
        rows = [row for entries in self._entries.values() for row in entries]
        if not rows:
            refuse_empty("faces in its lists", folder, LAYOUT)
        require_files(name, folder, [path for row in rows for path in row.files.values()], LAYOUT)
        known = all(set(_TRUTH) <= row.files.keys() for row in rows)
        self.offers = frozenset(
            {"photo", "mask"} | ({"albedo", "normals", "shading"} if known else set())
        )

    def _case(self, entry: Any) -> Case:
        files: dict[str, Path] = entry.files
        photo = _read(files["face"])
        mask = read_mask(files["mask"]) if "mask" in files else np.ones(photo.shape[:2], bool)
        if not set(_TRUTH) <= files.keys():
            return Case(entry.name, photo, {}, mask)
        stored = decode_normals(_read(files["normal"]))
        light = read_light(files["light"])
        normals = np.stack([stored[..., 1], -stored[..., 0], stored[..., 2]], axis=-1)
        truth = {
            "albedo": _read(files["albedo"]),
            "normals": normals,
            "shading": shade(stored, light),
        }
        return Case(entry.name, photo, truth, mask, {"light": light})


def read_list(path: Path, base: Path) -> list[_Row]:
    """The rows of a list; relative paths start at ``base``. The word ``None`` is no path."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if "face" not in (reader.fieldnames or ()):
            raise DataError(f"{path} has no column face", f"expected: {LAYOUT}")
        columns = ("albedo", "normal", "mask", "face", "light")
        rows = [
            {name: row[name] for name in columns if row.get(name) not in (None, "", "None")}
            for row in reader
        ]
    found = [{name: base / told for name, told in row.items() if told} for row in rows]
    return [
        _Row(f"{i:06d}_{row['face'].stem}", row) for i, row in enumerate(found) if "face" in row
    ]


def read_light(path: Path) -> Image:
    """27 numbers of one text file: nine red, nine green, nine blue."""
    try:
        light = np.array(path.read_text().split(), np.float32)
    except ValueError:
        light = np.zeros(0, np.float32)
    if light.shape != (27,):
        raise DataError(f"{path} does not hold 27 numbers", "nine harmonics for each colour")
    return light


def decode_normals(stored: Image) -> Image:
    """Stored 0..1 [H,W,3] → unit normals in the files' axes: (byte − 128)/128, then unit length."""
    vectors = (stored * 255 - 128) / 128
    return np.asarray(
        vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-8), np.float32
    )


def shade(normals: Image, light: Image) -> Image:
    """Normals [H,W,3] and light [27] in one and the same axes → shading [H,W,3], not clamped."""
    x, y, z = (normals[..., i].astype(np.float64) for i in range(3))
    c = _C
    basis = [c[0] + 0 * x, c[1] * z, c[1] * x, c[1] * y, c[2] * (2 * z * z - x * x - y * y)]
    basis += [c[3] * x * z, c[3] * y * z, c[4] * (x * x - y * y), c[3] * x * y]
    return np.asarray(np.stack(basis, axis=-1) @ light.reshape(3, 9).T, np.float32)


def _read(path: Path) -> Image:
    return read_photo(path, "linear").pixels


def open_sfsnet(path: Path) -> Faces:
    """Faces with layers."""
    return Faces(path)


def open_celeba(path: Path, name: Literal["celeba"] = "celeba") -> Faces:
    """Photos of faces, perhaps with predicted layers."""
    return Faces(path, name)
