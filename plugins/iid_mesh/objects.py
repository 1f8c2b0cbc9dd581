"""A silhouette of several objects apart into one of each, with the square each is seen in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Left, top, width, height.
Box = tuple[float, float, float, float]

#: Components smaller than this share of the photo, or of the largest, are no objects.
_LEAST, _LEAST_OF_LARGEST = 0.002, 0.1
#: No square is smaller, pixels.
_SMALLEST = 8


def objects(mask: Image, most: int) -> list[Image]:
    """A mask [H,W], 0..1, apart into those of its objects, the largest first; ``most`` at most."""
    solid = (mask > 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    least = max(_LEAST * mask.size, _LEAST_OF_LARGEST * areas.max(initial=0))
    found: list[Image] = []
    for index in np.argsort(-areas, kind="stable")[:most]:
        if areas[index] >= least:
            mine = labels == index + 1
            others = (labels > 0) & ~mine
            found.append(_cut_out(mask, mine.astype(np.uint8), others))
    return found


def _cut_out(mask: Image, mine: Image, others: Image) -> Image:
    """One object with its soft edge, which stands around it, and without the others."""
    square = np.ones((3, 3), np.uint8)
    around = cv2.dilate(mine, square)
    around[others] = 0
    return np.asarray(mask * around, np.float32)


def box_of(mask: Image, margin: float) -> Box:
    """The square in whole pixels around an object [H,W]; ``margin`` is the share of its side that
    is free on each side of the object."""
    left, width = _span(mask, 0)
    top, height = _span(mask, 1)
    longer = max(width, height) / (1 - 2 * margin)
    side = max(_SMALLEST, round(longer))
    x = left + (width - side) // 2
    y = top + (height - side) // 2
    return float(x), float(y), float(side), float(side)


def _span(mask: Image, axis: int) -> tuple[int, int]:
    """Where the object begins, and how many pixels it is long."""
    inside = (mask > 0.5).any(axis=axis)
    places = np.flatnonzero(inside)
    first = int(places[0])
    return first, int(places[-1]) + 1 - first
