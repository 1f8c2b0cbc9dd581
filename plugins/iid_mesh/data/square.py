"""The square around an object: what methods see of a photo, and where things stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.portrait import JITTER, PADDING
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: Left, top, width, height, pixels.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Square:
    """``size`` pixels a side from (``left``, ``top``) on; it may reach beyond its photo."""

    left: int
    top: int
    size: int

    def of(self, picture: NDArray[Any], side: int, outside: float | None = None) -> Image:
        """What of [H,W] or [H,W,C] lies in it, [side,side,C]. Beyond the picture its border goes
        on, or everything is ``outside``."""
        height, width = picture.shape[:2]
        right = self.left + self.size
        bottom = self.top + self.size
        over = (-self.top, bottom - height, -self.left, right - width)
        pads = [max(0, pixels) for pixels in over]
        top = max(0, self.top)
        left = max(0, self.left)
        inner = picture[top:bottom, left:right].astype(np.float32)
        if outside is None:
            whole = cv2.copyMakeBorder(inner, *pads, cv2.BORDER_REPLICATE)
        else:
            value = (outside,) * 4
            whole = cv2.copyMakeBorder(inner, *pads, cv2.BORDER_CONSTANT, value=value)
        planes = [_resized(plane, side) for plane in _planes(whole)]
        return np.stack(planes, axis=2)

    def points(self, points: Image) -> Image:
        """Points [K,3] in pixels of the photo (x, y, and 1 where visible) as in -1..1 of it."""
        corner = np.array((self.left, self.top))
        places = (points[:, :2] - corner) * 2 / self.size - 1
        return np.concatenate([places, points[:, 2:]], axis=1).astype(np.float32)

    def camera(self, camera: Image, photo: int) -> Image:
        """The camera [7] of a square photo of ``photo`` pixels a side as that of the square."""
        middle = np.ones((1, 3), np.float32)
        middle[0, :2] = (camera[1:3] + 1) * photo / 2
        moved = camera.astype(np.float32)
        moved[0] *= photo / self.size
        moved[1:3] = self.points(middle)[0, :2]
        return moved


def _planes(picture: Image) -> list[Image]:
    """The channels of [H,W] or [H,W,C]: OpenCV averages no more than four at a time."""
    if picture.ndim == 2:
        return [picture]
    return [np.ascontiguousarray(plane) for plane in np.moveaxis(picture, 2, 0)]


def _resized(plane: Image, side: int) -> Image:
    method = cv2.INTER_AREA if len(plane) > side else cv2.INTER_LINEAR
    small = cv2.resize(plane, (side, side), interpolation=method)
    return np.asarray(small, np.float32)


def box_of(mask: NDArray[np.bool_]) -> Box:
    """The box around a mask [H,W]; all of it where it is empty."""
    left, width = _span(np.asarray(mask.any(axis=0)))
    top, height = _span(np.asarray(mask.any(axis=1)))
    return (float(left), float(top), float(width), float(height))


def _span(filled: NDArray[np.bool_]) -> tuple[int, int]:
    """The first filled place of a row, and how many there are up to the last."""
    places = np.flatnonzero(filled)
    if not len(places):
        return 0, len(filled)
    first = int(places[0])
    return first, int(places[-1]) + 1 - first


def square_around(box: Box, rng: np.random.Generator | None = None) -> Square:
    """The square around a box with 5 % more on each side; with ``rng`` each side of the box is off
    by up to 5 % of it."""
    low = np.array(box[:2])
    extent = np.array(box[2:])
    high = low + extent
    if rng is not None:
        low = low + extent * rng.uniform(-JITTER, JITTER, 2)
        high = high + extent * rng.uniform(-JITTER, JITTER, 2)
    longer = float((high - low).max())
    size = max(2, round(longer * (1 + 2 * PADDING)))
    middle = (low + high) / 2
    corner = np.round(middle - size / 2)
    x, y = corner.astype(int).tolist()
    return Square(x, y, size)
