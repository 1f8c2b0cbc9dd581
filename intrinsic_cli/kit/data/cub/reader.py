"""CUB-200-2011 (Wah et al. 2011): birds with boxes, keypoints and silhouettes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.data.cub.tables import TABLES, Bird, read_birds
from intrinsic_cli.kit.data.layer_files import read_layer, refuse_empty, require_files
from intrinsic_cli.kit.data.layouts import CUB
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

SIDE = 256
PADDING, JITTER = 0.05, 0.05  # of the box
#: Where every keypoint goes when a bird is mirrored: left and right eye, leg and wing change
#: places.
MIRRORED = tuple(i - 1 for i in (1, 2, 3, 4, 5, 6, 11, 12, 13, 10, 7, 8, 9, 14, 15))
#: What lies outside the photo: white, no bird, no truth.
_OUTSIDE = {"photo": 1.0, "silhouette": 0.0, "mask": 0.0}


class Cub(TrainingReader[Bird]):
    """Square crops of 256 around the birds: the box padded by 5 % a side, white outside the photo.

    Truth: ``silhouette`` [256,256,1]; ``facts["keypoints"]`` [15,3]: x, y in −1..1 of the crop,
    visible 0/1; the mask leaves out what is outside the photo. ``val`` is the dataset's test split.
    Training shifts the crop by up to 5 %."""

    name = "cub"
    protocol = "birds"
    offers = frozenset({"photo", "silhouette", "mask", "keypoints"})
    swapped = MIRRORED

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "CUB_200_2011" if (folder / "CUB_200_2011").is_dir() else folder
        if not any((self.folder / name).is_file() for name in TABLES):
            refuse_empty("CUB-200-2011 tables", folder, CUB)
        tables = [self.folder / name for name in TABLES]
        require_files("CUB-200-2011", self.folder, tables, CUB)
        birds = read_birds(self.folder)
        wanted = [path for bird in birds for path in self.files(bird)]
        require_files("CUB-200-2011", self.folder, wanted, CUB)
        self._entries = {
            "train": [bird for bird in birds if bird.train],
            "val": [bird for bird in birds if not bird.train],
        }

    def files(self, bird: Bird) -> tuple[Path, Path]:
        """Its photo and its silhouette."""
        photo = self.folder / "images" / bird.place
        silhouette = self.folder / "segmentations" / bird.place.with_suffix(".png")
        return photo, silhouette

    def birds(self, split: Split) -> list[Bird]:
        """The birds of a split."""
        return list(self._entries[split])

    def _case(self, entry: Bird) -> Case:
        photo_path, silhouette_path = self.files(entry)
        photo = read_photo(photo_path).pixels
        whole = {
            "photo": photo,
            "silhouette": _half_of_the_votes(read_layer(silhouette_path)),
            "mask": np.ones(photo.shape[:2], np.float32),
        }
        left, top, size = square_box(entry.box)
        scale = SIDE / size
        matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        crop = {key: _warp(plane, matrix, _OUTSIDE[key]) for key, plane in whole.items()}
        truth = {"silhouette": crop["silhouette"][..., None]}
        facts = {"keypoints": keypoints_in_crop(entry), "box": entry.box}
        return Case(entry.place.stem, crop["photo"], truth, crop["mask"] > 0.5, facts)

    def _middle(self, case: Case, crop: int) -> Sample:
        """The whole crop, resized."""
        return self._sample(case, crop, 0.0, 0.0)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        """The whole crop, shifted a little."""
        right, down = rng.uniform(-JITTER, JITTER, 2)
        return self._sample(case, crop, float(right), float(down))

    def _sample(self, case: Case, crop: int, right: float, down: float) -> Sample:
        """The crop after a shift by these shares of its side."""
        planes = {
            "photo": case.photo,
            "silhouette": case.truth["silhouette"][..., 0],
            "mask": case.mask.astype(np.float32),
        }
        if right or down:
            matrix = np.array([[1, 0, right * SIDE], [0, 1, down * SIDE]])
            planes = {key: _warp(plane, matrix, _OUTSIDE[key]) for key, plane in planes.items()}
        sample = {key: resize(plane, crop).reshape(crop, crop, -1) for key, plane in planes.items()}
        sample["mask"] = (sample["mask"] > 0.99).astype(np.float32)
        points = case.facts["keypoints"].copy()
        points[:, 0] += 2 * right
        points[:, 1] += 2 * down
        sample["keypoints"] = points
        return sample


def keypoints_in_crop(bird: Bird) -> Image:
    """Its keypoints [15,3] in the crop: x, y in −1..1, visible 0/1."""
    left, top, size = square_box(bird.box)
    points = bird.keypoints.copy()
    points[:, :2] = (points[:, :2] - (left, top)) * 2 / size - 1
    return points


def square_box(box: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Left, top and side of the square about a box padded by 5 % of its longer side all around."""
    left, top, width, height = box
    size = max(width, height) * (1 + 2 * PADDING)
    return left + width / 2 - size / 2, top + height / 2 - size / 2, size


def _warp(plane: Image, matrix: NDArray[np.float64], outside: float) -> Image:
    """[H,W] or [H,W,3] moved by a matrix [2,3] → [256,256] or [256,256,3]."""
    size = (SIDE, SIDE)
    border = (outside,) * 3
    moved = cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR, borderValue=border)
    return np.asarray(moved, np.float32)


def _half_of_the_votes(votes: Image) -> Image:
    """Several people drew each bird: [H,W,C] in 0..1 → [H,W], 1 where more than half of them saw
    it."""
    return (votes[..., 0] > 0.5).astype(np.float32)


def open_cub(path: Path) -> Cub:
    """The birds below ``path`` (or below ``path/CUB_200_2011``)."""
    return Cub(path)
