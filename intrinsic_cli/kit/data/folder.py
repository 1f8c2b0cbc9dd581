"""Your own photos with layers: a folder with ``photo/``, ``albedo/``, ``shading/`` and perhaps
``mask/``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.data import Split
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.data.layer_files import read_layer, read_mask, refuse_empty
from intrinsic_cli.kit.data.readers import TrainingReader, share
from intrinsic_cli.kit.files.photo import read_photo

Image = NDArray[np.float32]

LAYOUT = "photo/, albedo/, shading/ (and mask/) with equal file names"


@dataclass(frozen=True, slots=True)
class _Entry:
    """The files of one photo."""

    stem: str
    photo: Path
    layers: dict[str, Path]
    mask: Path | None


class Folder(TrainingReader):
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
        entries = _find_entries(folder)
        first = min(entries, key=lambda entry: share(entry.stem))
        held = [entry for entry in entries if entry is first or share(entry.stem) < 0.1]
        self._entries: dict[Split, list[_Entry]] = {
            "val": held,
            "train": [entry for entry in entries if entry not in held] or entries,
        }

    def _case(self, entry: Any) -> Case:
        photo = read_photo(entry.photo)
        truth = {name: self._read_layer(entry, name) for name in FACTORS}
        mask = np.ones(photo.pixels.shape[:2], bool) if photo.alpha is None else photo.alpha > 0.5
        parts: dict[str, NDArray[Any]] = {**truth}
        if entry.mask:
            parts["mask"] = read_mask(entry.mask)
        for name, part in parts.items():
            if part.shape[:2] != mask.shape:
                raise DataError(
                    f"{name} and photo of {entry.stem} in {self._folder} differ in size"
                )
        return Case(entry.stem, photo.pixels, truth, mask & parts.get("mask", mask))

    def _read_layer(self, entry: _Entry, name: str) -> Image:
        path = entry.layers[name]
        places = (self._folder, entry.photo.parent, path.parent)
        told = next(
            (x for x in (place / f"{entry.stem}.iid.json" for place in places) if x.is_file()), None
        )
        facts = _read_sidecar(told, name) if told else {}
        return read_layer(path, facts.get("encoding", "auto")) * np.float32(facts.get("scale", 1.0))


def open_folder(path: Path) -> Folder:
    """The photos with layers in ``path``. DataError names what is missing."""
    return Folder(path)


def _find_entries(folder: Path) -> list[_Entry]:
    found = {name: _by_stem(folder / name) for name in ("photo", *FACTORS, "mask")}
    if not found["photo"]:
        refuse_empty("photos in photo/", folder, LAYOUT)
    missing = [
        f"{name}/{stem}.*" for stem in found["photo"] for name in FACTORS if stem not in found[name]
    ]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise DataError(f"{folder} lacks {', '.join(missing[:4])}{more}", f"expected: {LAYOUT}")
    masks = found["mask"]
    return [
        _Entry(s, p, {name: found[name][s] for name in FACTORS}, masks.get(s))
        for s, p in found["photo"].items()
    ]


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.name.endswith(".iid.json"):
            continue
        if path.stem in files:
            raise DataError(
                f"{folder} holds both {files[path.stem].name} and {path.name}",
                "stems must be unique",
            )
        files[path.stem] = path
    return files


def _read_sidecar(path: Path, layer: str) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8")).get("layers", {}).get(layer, {})
        return {
            "encoding": str(facts.get("encoding", "auto")),
            "scale": float(facts.get("scale", 1.0)),
        }
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} is not a sidecar iid understands", "delete it to read the layers unscaled"
        ) from error
