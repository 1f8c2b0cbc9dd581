"""CUB-200-2011 (Wah et al. 2011): birds with boxes, keypoints and silhouettes.

Layout from memory: verify. ``images.txt``, ``bounding_boxes.txt``, ``train_test_split.txt`` and
``parts/part_locs.txt`` (a line an image or part, beginning with the image's number),
``images/CLASS/NAME.jpg`` and, from the archive of segmentations, ``segmentations/CLASS/NAME.png``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.crops import Sample, resize
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty, require_files
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

Image = NDArray[np.float32]

LAYOUT = "images.txt, bounding_boxes.txt, train_test_split.txt, parts/part_locs.txt, images/ and segmentations/"
_TABLES = ("images.txt", "bounding_boxes.txt", "train_test_split.txt", "parts/part_locs.txt")
KEYPOINTS = 15
SIDE = 256
PADDING, JITTER = 0.05, 0.05  # of the box
#: Where every keypoint goes when a bird is mirrored (left and right eye, leg and wing change
#: places).
MIRRORED = tuple(i - 1 for i in (1, 2, 3, 4, 5, 6, 11, 12, 13, 10, 7, 8, 9, 14, 15))


@dataclass(frozen=True, slots=True)
class Bird:
    """One photo: its path below ``images/``, the box (left, top, width, height) from 0,
    ``keypoints`` [15,3] as pixel x, y from 0 and 1 where visible."""

    place: Path
    box: tuple[float, float, float, float]
    keypoints: Image
    train: bool


class Cub(TrainingReader):
    """Square crops of 256 around the birds: the box padded by 5 % a side, white outside the photo.

    Truth: ``mask`` [256,256,1]; ``facts["keypoints"]`` [15,3]: x, y in −1..1 of the crop, visible
    0/1. The ``val`` half is the dataset's test split."""

    name = "cub"
    protocol = "birds"
    offers = frozenset({"photo", "mask"})

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "CUB_200_2011" if (folder / "CUB_200_2011").is_dir() else folder
        if not any((self.folder / name).is_file() for name in _TABLES):
            refuse_empty("CUB-200-2011 tables", folder, LAYOUT)
        require_files("CUB-200-2011", self.folder, [self.folder / name for name in _TABLES], LAYOUT)
        birds = read_birds(self.folder)
        require_files(
            "CUB-200-2011",
            self.folder,
            [path for bird in birds for path in self.files(bird)],
            LAYOUT,
        )
        self._entries: dict[Split, list[Bird]] = {
            "train": [bird for bird in birds if bird.train],
            "val": [bird for bird in birds if not bird.train],
        }

    def files(self, bird: Bird) -> tuple[Path, Path]:
        """Its photo and its silhouette."""
        return (
            self.folder / "images" / bird.place,
            self.folder / "segmentations" / bird.place.with_suffix(".png"),
        )

    def birds(self, split: Split) -> list[Bird]:
        """The birds of a split."""
        return self._entries[split]

    def _case(self, entry: Any) -> Case:
        return self.crop(entry)

    def crop(self, bird: Bird, side: int = SIDE) -> Case:
        """The bird's crop, ``side`` pixels wide and high."""
        photo, mask = (read(path) for read, path in zip(_READERS, self.files(bird), strict=True))
        left, top, size = square_box(bird.box)
        shift = np.array(
            [[side / size, 0, -left * side / size], [0, side / size, -top * side / size]]
        )
        crops = [_warp(x, shift, side, outside) for x, outside in ((photo, 1.0), (mask, 0.0))]
        facts = {"keypoints": self.points(bird), "box": bird.box}
        return Case(
            bird.place.stem,
            crops[0],
            {"mask": crops[1][..., None]},
            np.ones((side, side), bool),
            facts,
        )

    def points(self, bird: Bird) -> Image:
        """Its keypoints [15,3] in the crop: x, y in −1..1, visible 0/1."""
        left, top, size = square_box(bird.box)
        points = bird.keypoints.copy()
        points[:, :2] = (points[:, :2] - (left, top)) * 2 / size - 1
        return points

    def _still(self, case: Case, crop: int) -> Sample:
        return {
            "photo": resize(case.photo, crop),
            "mask": resize(case.truth["mask"], crop).reshape(crop, crop, 1),
        }

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        """The whole crop, shifted by up to 5 % and mirrored half of the time."""
        moved = np.array(
            [
                [1, 0, rng.uniform(-JITTER, JITTER) * SIDE],
                [0, 1, rng.uniform(-JITTER, JITTER) * SIDE],
            ]
        )
        photo, mask = (
            _warp(x, moved, SIDE, y)
            for x, y in ((case.photo, 1.0), (case.truth["mask"][..., 0], 0.0))
        )
        step = -1 if rng.random() < 0.5 else 1
        photo, mask = photo[:, ::step], mask[:, ::step]
        return {"photo": resize(photo, crop), "mask": resize(mask, crop)[..., None]}


def square_box(box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Left, top and side of the square about a box padded by 5 % of its longer side all around."""
    left, top, width, height = box
    size = max(width, height) * (1 + 2 * PADDING)
    return left + width / 2 - size / 2, top + height / 2 - size / 2, size


def read_birds(folder: Path) -> list[Bird]:
    """All birds of the tables, in their order. Files count pixels from 1."""
    images, boxes, splits, parts = (list(_rows(folder / name)) for name in _TABLES)
    box = {
        row[0]: (float(row[1]) - 1, float(row[2]) - 1, float(row[3]), float(row[4]))
        for row in boxes
    }
    train = {row[0]: row[1] == "1" for row in splits}
    points: dict[str, Image] = {row[0]: np.zeros((KEYPOINTS, 3), np.float32) for row in images}
    for number, part, x, y, visible in parts:
        points[number][int(part) - 1] = (float(x) - 1, float(y) - 1, float(visible))
    try:
        return [Bird(Path(row[1]), box[row[0]], points[row[0]], train[row[0]]) for row in images]
    except KeyError as error:
        raise DataError(
            f"image {error} of images.txt is in no other table", f"expected: {LAYOUT}"
        ) from error


def _rows(path: Path) -> Iterator[list[str]]:
    return (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _warp(x: Image, matrix: NDArray[np.float64], side: int, outside: float) -> Image:
    value = (outside,) * 3
    return np.asarray(
        cv2.warpAffine(x, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=value),
        np.float32,
    )


def _read_photo(path: Path) -> Image:
    return read_photo(path).pixels


def _read_silhouette(path: Path) -> Image:
    """[H,W] in 0..1: people's votes; half of them make a bird."""
    return (read_layer(path)[..., 0] > 0.5).astype(np.float32)


_READERS = (_read_photo, _read_silhouette)


def open_cub(path: Path) -> Cub:
    """The birds below ``path`` (or below ``path/CUB_200_2011``)."""
    return Cub(path)
