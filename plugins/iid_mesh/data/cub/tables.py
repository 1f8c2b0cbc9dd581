"""The tables that CUB-200-2011 comes with.

Layout from memory: verify. ``images.txt``, ``bounding_boxes.txt``, ``train_test_split.txt`` and
``parts/part_locs.txt`` (a line an image or part, beginning with the image's number),
``images/CLASS/NAME.jpg`` and, from the archive of segmentations, ``segmentations/CLASS/NAME.png``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.cub.annotated import KEYPOINTS, Annotated, Splits
from iid_mesh.data.square import Box
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.layer_files import require_files

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

TABLES = ("images.txt", "bounding_boxes.txt", "train_test_split.txt", "parts/part_locs.txt")
LAYOUT = f"{', '.join(TABLES)}, images/ and segmentations/"


def read_tables(folder: Path) -> Splits:
    """The birds of the tables, in their order; those of the test split are held out. DataError
    where a table is missing, or a bird is not in all of them; pictures may be missing."""
    tables = [folder / name for name in TABLES]
    require_files("CUB-200-2011", folder, tables, LAYOUT)
    birds = _birds(folder, *tables)
    train = [bird for trains, bird in birds if trains]
    held_out = [bird for trains, bird in birds if not trains]
    return {"train": train, "val": held_out}


def _birds(
    folder: Path, images: Path, boxes: Path, splits: Path, parts: Path
) -> list[tuple[bool, Annotated]]:
    """Every bird, and whether it is of the training split."""
    box_of = {number: _box(*row) for number, *row in _rows(boxes)}
    trains = {number: flag == "1" for number, flag in _rows(splits)}
    points_of = _keypoints(parts)
    none = np.zeros((KEYPOINTS, 3), np.float32)
    birds = []
    for number, place in _rows(images):
        if number not in box_of or number not in trains:
            message = f"image {number} of images.txt is in no other table"
            raise DataError(message, f"expected: {LAYOUT}")
        photo = folder / "images" / place
        silhouette = (folder / "segmentations" / place).with_suffix(".png")
        points = points_of.get(number, none)
        bird = Annotated(photo, silhouette, box_of[number], points)
        birds.append((trains[number], bird))
    return birds


def _box(left: str, top: str, width: str, height: str) -> Box:
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
