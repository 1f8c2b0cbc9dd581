"""A folder of photos and nothing else: what other datasets are made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.layer_files import visible
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.splits import hold_out, notes_on_split
from intrinsic_cli.kit.files.formats import PHOTO_SUFFIXES
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Split
    from intrinsic_cli.api.outputs import Image

HELD = 8  # photos that validation needs where four parts of mixtures have no photo in common
LONGEST = 1024  # pixels: larger photos are reduced, which also rids them of noise and JPEG's blocks


class Photos(TrainingReader[Path]):
    """The photos in ``folder`` (not below it) as a :class:`~intrinsic_cli.api.data.Source`, without
    any truth.

    About a tenth, chosen by a hash of their names, is ``val``, but at least :data:`HELD` or, of few
    photos, half; a folder of two or three photos has all of them in both splits."""

    name = "photos"
    protocol = "photos"
    offers = frozenset({"photo", "mask"})

    def __init__(self, folder: Path) -> None:
        found = sorted(filter(is_photo, folder.glob("*")))
        if len(found) < 2:
            message = f"{folder} holds {_counted(len(found))}, where at least two are needed"
            raise DataError(message, f"give a folder with files such as {folder / 'a.jpg'}")
        self._entries = _split(found)
        self.notes = notes_on_split(folder, self._entries)

    def _case(self, entry: Path) -> Case:
        photo = read_photo(entry)
        pixels, mask = reduced(photo.pixels, visible(photo))
        return Case(entry.stem, pixels, {}, mask)


def open_photos(path: Path) -> Photos:
    """The photos in ``path``. DataError where there are fewer than two."""
    return Photos(path)


def is_photo(path: Path) -> bool:
    """Is it a file that shows, named as photos are?"""
    shown = not path.name.startswith(".") and path.is_file()
    return shown and path.suffix.lower() in PHOTO_SUFFIXES


def _counted(count: int) -> str:
    return "one photo" if count == 1 else "no photos"


def _split(found: list[Path]) -> dict[Split, list[Path]]:
    """Both splits, in the order of the names."""
    least = min(HELD, len(found) // 2)
    held = hold_out(found, lambda path: path.stem, least)
    rest = [path for path in found if path not in held]
    if len(held) < 2 or len(rest) < 2:
        held = rest = found
    return {"train": rest, "val": sorted(held)}


def reduced(pixels: Image, mask: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_]]:
    """Photo and mask with at most :data:`LONGEST` pixels a side."""
    height, width = mask.shape
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return pixels, mask
    columns = max(1, round(width * scale))
    rows = max(1, round(height * scale))
    size = (columns, rows)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(small, np.float32), np.asarray(known > 0)
