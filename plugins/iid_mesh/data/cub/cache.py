"""CUB-200-2011 as CMR caches it: boxes, masks and keypoints in MATLAB files.

``images/…`` below ``CUB_200_2011``, ``data/{train,val,test}_cub_cleaned.mat`` (struct ``images``:
rel_path, bbox x1..y2 from 1, parts 3×15, mask); part maps of SCOPS, if there are any, as
``scops/CLASS/NAME_*.npy`` [h,w,5]. Layout from memory: verify.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from iid_mesh.data.cub.annotated import Annotated, Splits
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.layer_files import require_files

LAYOUT = "CUB_200_2011/images/ and data/{train,test}_cub_cleaned.mat (or val_cub_cleaned.mat)"
_FILES = "*_cub_cleaned.mat"


def has_cache(folder: Path) -> bool:
    """Are there files of a cache?"""
    return any(_data(folder).glob(_FILES))


def read_cache(folder: Path) -> Splits:
    """The birds of the caches; held out are those of ``val``, else of ``test``. DataError where a
    cache is missing or unreadable; photos may be missing."""
    data = _data(folder)
    names = ("train", "val", "test")
    files = {name: data / f"{name}_cub_cleaned.mat" for name in names}
    held_out = files["val"]
    if not held_out.is_file():
        held_out = files["test"]
    require_files("CUB-200-2011", data, [files["train"], held_out], LAYOUT)
    return {"train": _read(files["train"], folder), "val": _read(held_out, folder)}


def _data(folder: Path) -> Path:
    """Where the files of the cache are."""
    data = folder / "data"
    return data if data.is_dir() else folder


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
    return [_annotated(row, images, folder / "scops") for row in np.atleast_1d(table)]


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
        silhouette=np.asarray(row.mask, np.float32),
        box=(left, top, width, height),
        keypoints=keypoints,
        parts=found[0] if found else None,
    )
