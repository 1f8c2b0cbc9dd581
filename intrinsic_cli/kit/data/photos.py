"""A folder of photos and nothing else: what other datasets are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.readers import TrainingReader, share
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

HELD = 8  # photos that validation needs where four collections of mixtures have no photo in common
LONGEST = 1024  # pixels: larger photos are reduced, which also rids them of noise and JPEG's blocks


class Photos(TrainingReader):
    """The photos in ``folder`` (not below it) as a :class:`~intrinsic_cli.api.data.Source`, without
    any truth.

    About a tenth, chosen by a hash of their names, is ``val``, but at least :data:`HELD` or, of few
    photos, half; a folder of two or three photos has all of them in both splits."""

    name = "photos"
    protocol = "photos"
    offers = frozenset({"photo", "mask"})

    def __init__(self, folder: Path) -> None:
        found = (
            sorted(path for path in folder.iterdir() if _is_photo(path)) if folder.is_dir() else []
        )
        if len(found) < 2:
            raise DataError(
                f"{folder} holds {len(found)} photos, where at least two are needed",
                "give another folder",
            )
        ranked = sorted(found, key=lambda path: share(path.stem))
        least = min(HELD, len(found) // 2)
        held = {path for i, path in enumerate(ranked) if i < least or share(path.stem) < 0.1}
        learned = [path for path in found if path not in held]
        enough = min(len(held), len(learned)) > 1
        self._entries: dict[Split, list[Path]] = {
            "val": [path for path in found if path in held or not enough],
            "train": learned if enough else found,
        }

    def _case(self, entry: Any) -> Case:
        photo = read_photo(entry)
        mask = np.ones(photo.pixels.shape[:2], bool) if photo.alpha is None else photo.alpha > 0.5
        height, width = mask.shape
        pixels, scale = photo.pixels, LONGEST / max(height, width)
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)
            mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        return Case(entry.stem, pixels, {}, mask)


def open_photos(path: Path) -> Photos:
    """The photos in ``path``. DataError where there are fewer than two."""
    return Photos(path)


def _is_photo(path: Path) -> bool:
    return (
        path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
