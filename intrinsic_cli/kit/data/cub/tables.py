"""The tables of CUB-200-2011.

Layout from memory: verify. ``images.txt``, ``bounding_boxes.txt``, ``train_test_split.txt`` and
``parts/part_locs.txt`` (a line an image or part, beginning with the image's number),
``images/CLASS/NAME.jpg`` and, from the archive of segmentations, ``segmentations/CLASS/NAME.png``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.layouts import CUB

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

TABLES = ("images.txt", "bounding_boxes.txt", "train_test_split.txt", "parts/part_locs.txt")
KEYPOINTS = 15


@dataclass(frozen=True, slots=True)
class Bird:
    """One photo: its path below ``images/``, the box (left, top, width, height) from 0,
    ``keypoints`` [15,3] as pixel x, y from 0 and 1 where visible."""

    place: Path
    box: tuple[float, float, float, float]
    keypoints: Image
    train: bool


def read_birds(folder: Path) -> list[Bird]:
    """All birds of the tables, in their order. DataError where a bird is not in all of them."""
    images, boxes, splits, parts = (folder / name for name in TABLES)
    box_of = {number: _box(*row) for number, *row in _rows(boxes)}
    trained = {number: flag == "1" for number, flag in _rows(splits)}
    points_of = _keypoints(parts)
    none = np.zeros((KEYPOINTS, 3), np.float32)
    birds = []
    for number, place in _rows(images):
        if number not in box_of or number not in trained:
            message = f"image {number} of images.txt is in no other table"
            raise DataError(message, f"expected: {CUB}")
        points = points_of.get(number, none)
        birds.append(Bird(Path(place), box_of[number], points, trained[number]))
    return birds


def _box(left: str, top: str, width: str, height: str) -> tuple[float, float, float, float]:
    """The files count pixels from 1."""
    return float(left) - 1, float(top) - 1, float(width), float(height)


def _keypoints(path: Path) -> dict[str, Image]:
    """The keypoints [15,3] of every image that has any, pixels from 0."""
    points: dict[str, Image] = {}
    for number, part, x, y, visible in _rows(path):
        if number not in points:
            points[number] = np.zeros((KEYPOINTS, 3), np.float32)
        row = points[number][int(part) - 1]
        row[0] = float(x) - 1
        row[1] = float(y) - 1
        row[2] = float(visible)
    return points


def _rows(path: Path) -> Iterator[list[str]]:
    """The words of every line that is not empty."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield line.split()
