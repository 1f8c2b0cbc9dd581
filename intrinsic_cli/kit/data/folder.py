"""Your own photos with layers: a folder with ``photo/``, ``albedo/``, ``shading/`` and perhaps
``mask/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import (
    read_encoding,
    read_layer,
    read_mask,
    refuse_empty,
    require_files,
    require_size,
    visible,
)
from intrinsic_cli.kit.data.layouts import FOLDER
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.splits import notes_on_split, split_by_group
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one photo; ``layers`` holds those that are there."""

    stem: str
    photo: Path
    layers: dict[str, Path]
    mask: Path | None


class Folder(TrainingReader[Files]):
    """Photos and layers with equal stems as a :class:`~intrinsic_cli.api.data.Source`.

    Photos and layers are read like any input of ``iid``: integer formats are sRGB-encoded, float
    formats (EXR, HDR, float TIFF) linear. A sidecar ``STEM.iid.json``, as ``iid decompose`` writes
    it, may lie in the folder itself or beside the photo or layer: its ``encoding`` and ``scale``
    then apply (linear = decode(value) · scale). The mask is what is brighter than half in ``mask/``
    and not transparent in the photo.

    About a tenth of the photos, chosen by a hash of their stems, is the ``val`` split; adding
    photos moves none of the others. There is always at least one; a folder of one photo has it in
    both splits."""

    name = "folder"
    protocol = "folder"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = split_by_group(_find(folder), lambda files: files.stem)
        self.notes = notes_on_split(folder, self._entries)
        missing = _missing(folder, self._every_entry())
        require_files("folder", folder, missing, FOLDER, rest=self)

    def _case(self, entry: Files) -> Case:
        photo = read_photo(entry.photo)
        truth = {name: self._read_layer(entry, name) for name in entry.layers}
        for name, layer in truth.items():
            require_size(layer, photo.pixels, entry.layers[name], entry.photo)
        mask = visible(photo)
        if entry.mask:
            drawn = read_mask(entry.mask)
            require_size(drawn, photo.pixels, entry.mask, entry.photo)
            mask = mask & drawn
        return Case(entry.stem, photo.pixels, truth, mask)

    def _of_one_size(self, entry: Files) -> Sequence[Path]:
        masks = [entry.mask] if entry.mask else []
        return [entry.photo, *entry.layers.values(), *masks]

    def _read_layer(self, entry: Files, name: str) -> Image:
        path = entry.layers[name]
        for place in (self._folder, entry.photo.parent, path.parent):
            sidecar = place / f"{entry.stem}.iid.json"
            if sidecar.is_file():
                encoding, scale = read_encoding(sidecar, name)
                return read_layer(path, encoding) * np.float32(scale)
        return read_layer(path, "auto")


def open_folder(path: Path) -> Folder:
    """The photos with layers in ``path``. DataError names what is missing."""
    return Folder(path)


def _find(folder: Path) -> list[Files]:
    found = {name: _by_stem(folder / name) for name in ("photo", *FACTORS, "mask")}
    photos = found["photo"]
    if not photos:
        _refuse(folder)
    masks = found["mask"]
    return [
        Files(stem, photo, _of_stem(found, stem), masks.get(stem)) for stem, photo in photos.items()
    ]


def _of_stem(found: Mapping[str, Mapping[str, Path]], stem: str) -> dict[str, Path]:
    """The layers of a photo that are there."""
    return {name: found[name][stem] for name in FACTORS if stem in found[name]}


def _missing(folder: Path, entries: Sequence[Files]) -> list[Path]:
    """Every layer that a photo lacks, layer by layer."""
    missing: list[Path] = []
    for name in FACTORS:
        stems = sorted(entry.stem for entry in entries if name not in entry.layers)
        missing += [folder / name / f"{stem}.*" for stem in stems]
    return missing


def _refuse(folder: Path) -> None:
    """DataError: there are no photos with layers here; a better place for loose photos is told."""
    loose = sum(path.suffix.lower() in PHOTO_SUFFIXES for path in folder.glob("*"))
    if not loose:
        refuse_empty("photos with layers", folder, FOLDER)
    message = f"{folder} holds {loose} photos but no layers of them"
    hint = f"expected: {FOLDER}; photos alone can be trained on as reflection:{folder}"
    raise DataError(message, hint)


def _by_stem(folder: Path) -> dict[str, Path]:
    """The visible files of a folder, {} where there is none. DataError where stems repeat."""
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*")):
        if not path.is_file() or path.name.startswith(".") or path.name.endswith(".iid.json"):
            continue
        if path.stem in files:
            message = f"{folder} holds both {files[path.stem].name} and {path.name}"
            raise DataError(message, "stems must be unique")
        files[path.stem] = path
    return files
