"""SAW, Shading Annotations in the Wild (Kovacs et al. 2017): where people say shading is smooth,
and where not.

Layout from memory: verify. ``saw_images_512/ID.png``, ``saw_splits/{train,val,test}_ids.npy`` and
``saw_pixel_labels/SETTINGS/ID.npy`` (see :data:`SETTINGS`) with 0 a discontinuity of normals or
depth, 1 a shadow boundary, 2 smooth, 100 ignored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.layer_files import require_files
from intrinsic_cli.kit.data.layouts import SAW
from intrinsic_cli.kit.data.readers import MeasuringReader
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

SETTINGS = (
    "saw_data-filter_size_0-ignore_border_0.05-normal_gradmag_thres_1.5-depth_gradmag_thres_2.0"
)


class Saw(MeasuringReader[int]):
    """``val`` is the test split of the authors, as the protocol asks. ``facts["labels"]`` [h,w]
    int, perhaps of another size than the photo."""

    name = "saw"
    offers = frozenset({"photo", "labels"})

    def __init__(self, folder: Path, protocol: str = "saw-c") -> None:
        self.protocol = protocol
        self._root = folder / "saw" if (folder / "saw").is_dir() else folder
        splits = self._root / "saw_splits"
        trained, held_out = splits / "train_ids.npy", splits / "test_ids.npy"
        require_files("SAW", self._root, [held_out], SAW)
        self._entries = {"val": _read_ids(held_out)}
        # Of the photos that others train on, none need be there.
        self._require_files("SAW", self._root, SAW)
        if trained.is_file():
            self._entries["train"] = _read_ids(trained)

    def _files(self, entry: int) -> Sequence[Path]:
        return self._places(entry)

    def _places(self, number: int) -> tuple[Path, Path]:
        labels = self._root / "saw_pixel_labels" / SETTINGS / f"{number}.npy"
        return self._root / "saw_images_512" / f"{number}.png", labels

    def _case(self, entry: int) -> Case:
        photo_path, labels_path = self._places(entry)
        photo = read_photo(photo_path).pixels
        facts = {"labels": _load(labels_path).astype(np.int64)}
        return Case(str(entry), photo, {}, np.ones(photo.shape[:2], bool), facts)


def _read_ids(path: Path) -> list[int]:
    """The numbers of the photos of a split, in order."""
    return sorted(int(number) for number in _load(path))


def _load(path: Path) -> NDArray[Any]:
    try:
        loaded: NDArray[Any] = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not a readable array", "download it again") from error
    return loaded


def open_saw(path: Path) -> Saw:
    """Scored as in the challenge."""
    return Saw(path)


def open_unweighted(path: Path) -> Saw:
    """Scored with every smooth pixel weighing the same."""
    return Saw(path, "saw-u")


def open_2017(path: Path) -> Saw:
    """Scored as in the paper."""
    return Saw(path, "saw-2017")
