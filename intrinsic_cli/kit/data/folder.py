"""Your own photos with layers: a folder with ``photo/``, ``albedo/``, ``shading/`` and perhaps ``mask/``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.layers import FACTORS
from intrinsic_cli.kit.data.pictures import read_layer, read_mask, refuse_empty
from intrinsic_cli.kit.image import read_photo
from intrinsic_cli.kit.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

Image = NDArray[np.float32]

_SMALLEST = 0.55  # of the shorter side: the smallest square a training crop is cut from
_WHITE, _DARK = 0.98, 2e-3  # a photo clips above, a shading is too dark to learn from below

LAYOUT = "photo/, albedo/, shading/ (and mask/) with equal file names"


@dataclass(frozen=True, slots=True)
class _Entry:
    """The files of one photo."""

    stem: str
    photo: Path
    layers: dict[str, Path]
    mask: Path | None


class Folder:
    """Photos and layers with equal stems as a :class:`~intrinsic_cli.api.data.Source`.

    Photos and layers are read like any input of ``iid``: integer formats are sRGB-encoded, float formats (EXR, HDR,
    float TIFF) linear. A sidecar ``STEM.iid.json``, as ``iid decompose`` writes it, may lie in the folder itself or
    beside the photo or layer: its ``encoding`` and ``scale`` then apply (linear = decode(value) · scale). The mask
    is what is brighter than half in ``mask/`` and not transparent in the photo.

    About a tenth of the photos, chosen by a hash of their stems, is the ``val`` split; adding photos moves none of
    the others. There is always at least one; a folder of one photo has it in both splits.
    """

    name = "folder"
    protocol = "folder"
    offers = frozenset({"photo", "albedo", "shading", "mask"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        entries = _find_entries(folder)
        first = min(entries, key=lambda entry: _hash(entry.stem))
        held = [entry for entry in entries if entry is first or _hash(entry.stem) < 0.1]
        self._splits = {"val": held, "train": [entry for entry in entries if entry not in held] or entries}

    def cases(self, split: Split = "val", limit: int | None = None) -> Iterator[Case]:
        """The photos of the split by name, full size."""
        return (self._case(entry) for entry in self._splits[split][:limit])

    def batches(self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Training crops are random squares, resized to ``crop`` and mirrored half of
        the time; validation shows the middle square of every photo (the last batch may be smaller)."""
        entries = self._splits[split]
        if split == "val":
            for first in range(0, len(entries), size):
                yield _collate([_middle(self._case(entry), crop) for entry in entries[first : first + size]])
            return
        while True:
            yield _collate([self._draw(entries, seed, start * size + i, crop) for i in range(size)])
            start += 1

    def _draw(self, entries: list[_Entry], seed: int, number: int, crop: int) -> dict[str, Image]:
        """The ``number``-th sample of the endless stream of ``seed``: every pass has a fresh order."""
        epoch, place = divmod(number, len(entries))
        order = np.random.default_rng((seed, epoch)).permutation(len(entries))
        return _random_square(self._case(entries[order[place]]), crop, np.random.default_rng((seed, 1, number)))

    def _case(self, entry: _Entry) -> Case:
        photo = read_photo(entry.photo)
        truth = {name: self._read_layer(entry, name) for name in FACTORS}
        mask = np.ones(photo.pixels.shape[:2], bool) if photo.alpha is None else photo.alpha > 0.5
        parts: dict[str, NDArray[Any]] = {**truth}
        if entry.mask:
            parts["mask"] = read_mask(entry.mask)
        for name, part in parts.items():
            if part.shape[:2] != mask.shape:
                raise DataError(f"{name} and photo of {entry.stem} in {self._folder} differ in size")
        return Case(entry.stem, photo.pixels, truth, mask & parts.get("mask", mask))

    def _read_layer(self, entry: _Entry, name: str) -> Image:
        path = entry.layers[name]
        places = (self._folder, entry.photo.parent, path.parent)
        told = next((x for x in (place / f"{entry.stem}.iid.json" for place in places) if x.is_file()), None)
        facts = _read_sidecar(told, name) if told else {}
        return read_layer(path, facts.get("encoding", "auto")) * np.float32(facts.get("scale", 1.0))


def open_folder(path: Path) -> Folder:
    """The photos with layers in ``path``. DataError names what is missing."""
    return Folder(path)


def _find_entries(folder: Path) -> list[_Entry]:
    found = {name: _by_stem(folder / name) for name in ("photo", *FACTORS, "mask")}
    if not found["photo"]:
        refuse_empty("photos in photo/", folder, LAYOUT)
    missing = [f"{name}/{stem}.*" for stem in found["photo"] for name in FACTORS if stem not in found[name]]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise DataError(f"{folder} lacks {', '.join(missing[:4])}{more}", f"expected: {LAYOUT}")
    masks = found["mask"]
    return [_Entry(s, p, {name: found[name][s] for name in FACTORS}, masks.get(s)) for s, p in found["photo"].items()]


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.name.endswith(".iid.json"):
            continue
        if path.stem in files:
            raise DataError(f"{folder} holds both {files[path.stem].name} and {path.name}", "stems must be unique")
        files[path.stem] = path
    return files


def _hash(stem: str) -> float:
    """A number in 0..1 that depends on the name alone, on every machine."""
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:6], "big") / 2**48


def _read_sidecar(path: Path, layer: str) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8")).get("layers", {}).get(layer, {})
        return {"encoding": str(facts.get("encoding", "auto")), "scale": float(facts.get("scale", 1.0))}
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path} is not a sidecar iid understands", "delete it to read the layers unscaled") from error


def _middle(case: Case, side: int) -> dict[str, Image]:
    height, width = case.mask.shape
    size = min(height, width)
    return _cut(case, (height - size) // 2, (width - size) // 2, size, side)


def _random_square(case: Case, side: int, rng: np.random.Generator) -> dict[str, Image]:
    height, width = case.mask.shape
    size = max(1, round(min(height, width) * rng.uniform(_SMALLEST, 1)))
    top, left = int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))
    sample = _cut(case, top, left, size, side)
    return sample if rng.random() < 0.5 else {name: x[:, ::-1] for name, x in sample.items()}


def _cut(case: Case, top: int, left: int, size: int, side: int) -> dict[str, Image]:
    """A square of the case as ``side``×``side`` planes [H,W,C]; the mask leaves out what training cannot use."""
    window = np.s_[top : top + size, left : left + size]
    whole = {"photo": case.photo, **case.truth}
    sample = {name: _resize(np.broadcast_to(x[window], (size, size, 3)), side) for name, x in whole.items()}
    known = _resize(case.mask[window].astype(np.float32), side) > 0.99
    known &= (sample["photo"].max(-1) < _WHITE) & (sample["shading"].min(-1) > _DARK)
    return sample | {"mask": known[..., None].astype(np.float32)}


def _resize(x: Image, side: int) -> Image:
    method = cv2.INTER_AREA if x.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(x), (side, side), interpolation=method), np.float32)


def _collate(samples: list[dict[str, Image]]) -> Batch:
    stacked = {name: np.stack([sample[name] for sample in samples]).transpose(0, 3, 1, 2) for name in samples[0]}
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in stacked.items()}
