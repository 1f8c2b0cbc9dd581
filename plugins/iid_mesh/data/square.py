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
        right, bottom = self.left + self.size, self.top + self.size
        over = (-self.top, bottom - height, -self.left, right - width)
        pads = [max(0, pixels) for pixels in over]
        inner = picture[max(0, self.top) : bottom, max(0, self.left) : right]
        kind = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
        value = (outside or 0.0,) * 4
        whole = cv2.copyMakeBorder(inner.astype(np.float32), *pads, kind, value=value)
        filter = cv2.INTER_AREA if self.size > side else cv2.INTER_LINEAR
        small = cv2.resize(whole, (side, side), interpolation=filter)
        return np.asarray(small.reshape(side, side, -1), np.float32)

    def points(self, points: Image) -> Image:
        """Points [K,3] in pixels of the photo (x, y, and 1 where visible) as in -1..1 of it."""
        corner = np.array((self.left, self.top))
        places = (points[:, :2] - corner) * 2 / self.size - 1
        return np.concatenate([places, points[:, 2:]], axis=1).astype(np.float32)

    def camera(self, camera: Image, photo: int) -> Image:
        """The camera [7] of a square photo of ``photo`` pixels a side as that of the square."""
        middle = np.array([[*((camera[1:3] + 1) * photo / 2), 1.0]])
        scale = camera[:1] * photo / self.size
        shift = self.points(middle)[0, :2]
        return np.concatenate([scale, shift, camera[3:]]).astype(np.float32)


def box_of(mask: NDArray[np.bool_]) -> Box:
    """The box around a mask [H,W]; all of it where it is empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    if not len(rows):
        return (0.0, 0.0, float(width), float(height))
    left, top = int(columns[0]), int(rows[0])
    return (float(left), float(top), float(columns[-1] + 1 - left), float(rows[-1] + 1 - top))


def square_around(box: Box, rng: np.random.Generator | None = None) -> Square:
    """The square around a box with 5 % more on each side; with ``rng`` each side of the box is off
    by up to 5 % of it."""
    left, top, width, height = box
    low, high = np.array((left, top)), np.array((left + width, top + height))
    if rng is not None:
        low = low + (width, height) * rng.uniform(-JITTER, JITTER, 2)
        high = high + (width, height) * rng.uniform(-JITTER, JITTER, 2)
    size = max(2, round(float((high - low).max()) * (1 + 2 * PADDING)))
    x, y = np.round((low + high) / 2 - size / 2).astype(int).tolist()
    return Square(x, y, size)
