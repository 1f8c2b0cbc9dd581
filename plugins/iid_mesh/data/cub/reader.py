"""Squares around the birds of CUB-200-2011."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.cub import cache, tables
from iid_mesh.data.cub.annotated import Annotated
from iid_mesh.data.cub.cache import has_cache, read_cache
from iid_mesh.data.cub.tables import TABLES, read_tables
from iid_mesh.data.landmarks import MIRRORED
from iid_mesh.data.square import square_around
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.data.layer_files import require_size
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row, Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

#: The side of the photos that are measured with.
CASE = 256


class Cub(TrainingReader[Annotated]):
    """The birds below ``folder``, as CMR's caches have them where there are any, else as the
    dataset's own tables do. Training moves the square by up to 5 % of the box; outside the photo it
    is white. ``mask`` is the silhouette, as of all objects with meshes."""

    name = "cub"
    protocol = "meshes"
    offers = frozenset({"photo", "mask", "silhouette", "keypoints"})
    rows: Mapping[str, Row] = {"parts": "planes"}
    swapped = MIRRORED

    def __init__(self, folder: Path) -> None:
        cached = has_cache(folder)
        root = folder if cached else _root(folder)
        self._entries = read_cache(root) if cached else read_tables(root)
        everyone = [bird for birds in self._entries.values() for bird in birds]
        if all(bird.parts for bird in everyone):
            self.offers |= {"parts"}
        self._require_files("CUB-200-2011", root, cache.LAYOUT if cached else tables.LAYOUT)

    def birds(self, split: Split) -> list[Annotated]:
        """The birds of a split."""
        return list(self._entries[split])

    def _files(self, entry: Annotated) -> Sequence[Path]:
        return entry.files()

    def _case(self, entry: Annotated) -> Case:
        photo = read_photo(entry.photo).pixels
        silhouette = entry.mask()
        require_size(silhouette, photo, entry.photo, entry.photo)
        facts = {"entry": entry, "whole": photo, "silhouette": silhouette}
        made = _cut(entry, photo, silhouette, CASE)
        truth = {"silhouette": made["silhouette"]}
        mask = made["mask"][..., 0] > 0.5
        facts["keypoints"] = made["keypoints"]
        return Case(entry.photo.stem, made["photo"], truth, mask, facts)

    def _middle(self, case: Case, crop: int) -> Sample:
        return self._sample(case, crop, None)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return self._sample(case, crop, rng)

    def _sample(self, case: Case, side: int, rng: np.random.Generator | None) -> Sample:
        entry: Annotated = case.facts["entry"]
        sample = _cut(entry, case.facts["whole"], case.facts["silhouette"], side, rng)
        if "parts" in self.offers and entry.parts:
            return {**sample, "parts": _parts(entry.parts, sample["mask"], side)}
        return sample


def open_cub(path: Path) -> Cub:
    """The birds below ``path`` (or below ``path/CUB_200_2011``)."""
    return Cub(path)


def _root(folder: Path) -> Path:
    """Where the tables are. DataError where there is none."""
    for root in (folder / "CUB_200_2011", folder):
        if any((root / name).is_file() for name in TABLES):
            return root
    message = f"{folder} holds neither the tables of CUB-200-2011 nor caches of them"
    raise DataError(message, "see its layouts with `iid datasets`")


def _cut(
    entry: Annotated,
    photo: Image,
    silhouette: Image,
    side: int,
    rng: np.random.Generator | None = None,
) -> Sample:
    """The square around a bird."""
    square = square_around(entry.box, rng)
    mask = square.of(silhouette, side, outside=0.0)
    return {
        "photo": square.of(photo, side, outside=1.0),
        "mask": mask,
        "silhouette": mask,
        "keypoints": square.points(entry.keypoints),
    }


def _parts(path: Path, mask: Image, side: int) -> Image:
    """Part maps of the unmoved crop [side,side,5], the strongest of each part 1, none outside the
    silhouette."""
    stored = np.load(path, allow_pickle=False)
    maps = resize(stored.astype(np.float32), side)
    strongest = maps.max(axis=(0, 1))
    maps = maps / np.maximum(strongest, 1e-6)
    maps[..., 1:] *= mask
    maps[..., :1] = 1 - mask
    return np.asarray(maps)
