"""CUB-200-2011 as CMR caches it: photos, and boxes, masks and keypoints in MATLAB files.

``images/…`` below ``CUB_200_2011``, ``data/{train,val,test}_cub_cleaned.mat`` (struct ``images``:
rel_path, bbox x1..y2 from 1, parts 3×15, mask); part maps of SCOPS, if there are any, as
``scops/CLASS/NAME_*.npy`` [h,w,5]. Layout from memory: verify.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iid_mesh.data.landmarks import MIRRORED
from iid_mesh.data.square import Box, square_around
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.data.layer_files import require_files, require_size
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

LAYOUT = "CUB_200_2011/images/ and data/{train,test}_cub_cleaned.mat (or val_cub_cleaned.mat)"
CASE = 256


@dataclass(frozen=True, slots=True)
class Annotated:
    """A photo and what the cache knows of it: ``mask`` [H,W], the box, ``keypoints`` [15,3] in
    pixels from 0 and 1 where visible; ``parts`` is the file of its part maps, if there is one."""

    photo: Path
    mask: Image
    box: Box
    keypoints: Image
    parts: Path | None


class CubCache(TrainingReader[Annotated]):
    """Squares around birds, white outside the photo."""

    name = "cub-cmr"
    protocol = "meshes"
    offers = frozenset({"photo", "mask", "silhouette", "keypoints"})
    rows: Mapping[str, Row] = {"parts": "planes"}
    swapped = MIRRORED

    def __init__(self, folder: Path) -> None:
        data = folder / "data"
        if not data.is_dir():
            data = folder
        names = ("train", "val", "test")
        files = {name: data / f"{name}_cub_cleaned.mat" for name in names}
        held_out = files["val"]
        if not held_out.is_file():
            held_out = files["test"]
        require_files("CUB-200-2011", data, [files["train"], held_out], LAYOUT)
        train = _read(files["train"], folder)
        val = _read(held_out, folder)
        self._entries = {"train": train, "val": val}
        if all(entry.parts for entry in (*train, *val)):
            self.offers |= {"parts"}

    def _case(self, entry: Annotated) -> Case:
        photo = read_photo(entry.photo).pixels
        require_size(entry.mask, photo, entry.photo, entry.photo)
        made = self._cut(entry, photo, CASE, None)
        truth = {"silhouette": made["silhouette"]}
        mask = made["mask"][..., 0] > 0.5
        facts = {"keypoints": made["keypoints"], "entry": entry, "whole": photo}
        return Case(entry.photo.stem, made["photo"], truth, mask, facts)

    def _middle(self, case: Case, crop: int) -> Sample:
        return self._cut(case.facts["entry"], case.facts["whole"], crop, None)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return self._cut(case.facts["entry"], case.facts["whole"], crop, rng)

    def _cut(
        self, entry: Annotated, photo: Image, side: int, rng: np.random.Generator | None
    ) -> Sample:
        square = square_around(entry.box, rng)
        mask = square.of(entry.mask, side, outside=0.0)
        sample = {
            "photo": square.of(photo, side, outside=1.0),
            "mask": mask,
            "silhouette": mask,
            "keypoints": square.points(entry.keypoints),
        }
        if "parts" in self.offers and entry.parts:
            sample["parts"] = _parts(entry.parts, mask, side)
        return sample


def open_cub_cache(path: Path) -> CubCache:
    """The birds of the caches below ``path``."""
    return CubCache(path)


def _read(path: Path, folder: Path) -> list[Annotated]:
    """The photos of one cache."""
    try:
        from scipy.io import loadmat  # type: ignore[import-untyped]  # ships no types
        from scipy.io.matlab import MatReadError  # type: ignore[import-untyped]
    except ImportError as error:
        hint = "pip install scipy"
        raise DataError(
            f"{path.name} is read with the package scipy, which is missing", hint
        ) from error
    try:
        table = loadmat(path, struct_as_record=False, squeeze_me=True)["images"]
    except (MatReadError, ValueError, KeyError, NotImplementedError) as error:
        raise DataError(f"{path} is no cache of annotations: {error}", LAYOUT) from error
    images = folder / "CUB_200_2011" / "images"
    if not images.is_dir():
        images = folder / "images"
    entries = [_annotated(row, images, folder / "scops") for row in np.atleast_1d(table)]
    require_files("CUB-200-2011", folder, [entry.photo for entry in entries], LAYOUT)
    return entries


def _annotated(row: Any, images: Path, scops: Path) -> Annotated:
    """One row; the cache counts pixels from 1."""
    box = row.bbox
    left = float(box.x1) - 1
    top = float(box.y1) - 1
    width = float(box.x2) - left
    height = float(box.y2) - top
    keypoints = np.array(row.parts, np.float32).T
    keypoints[:, :2] -= 1
    keypoints[:, 2] = keypoints[:, 2] > 0
    place = Path(str(row.rel_path))
    found = sorted((scops / place.parent).glob(f"{place.stem}_*.npy"))
    return Annotated(
        photo=images / place,
        mask=np.asarray(row.mask, np.float32),
        box=(left, top, width, height),
        keypoints=keypoints,
        parts=found[0] if found else None,
    )


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
