"""What hides parts of a face, drawn on the photo: glasses, and hair over the brow. Truth is unknown
there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Cover = NDArray[np.uint8]
Point = NDArray[np.floating]
#: Fractions of a pixel that positions are drawn with, as powers of two.
_SHIFT = 4
_ONE = 1 << _SHIFT


def glasses(points: Image, side: int, rng: np.random.Generator) -> Cover:
    """Frames about the eyes and a bridge between: [side,side], 255 where they are. ``points`` [5,2]
    in pixels of the crop."""
    left, right = points[0], points[1]
    apart = max(float(np.linalg.norm(right - left)), 1e-6)
    along = (right - left) / apart
    wide = apart * rng.uniform(0.32, 0.46)
    high = apart * rng.uniform(0.24, 0.4)
    pen = Pen(side, apart * rng.uniform(0.02, 0.08))
    pen.ring(left, wide, high, along)
    pen.ring(right, wide, high, along)
    rim = along * wide
    arm = along * apart
    pen.line(left + rim, right - rim)
    pen.line(left - rim, left - rim - arm)
    pen.line(right + rim, right + rim + arm)
    return pen.cover


def fringe(points: Image, side: int, rng: np.random.Generator) -> Cover:
    """Strands that hang from above into the brow: [side,side], 255 where they are."""
    eyes = points[:2].mean(0)
    apart = float(np.linalg.norm(points[1] - points[0]))
    lean = rng.normal(0, 0.5)
    pen = Pen(side, apart * rng.uniform(0.02, 0.05))
    for _ in range(int(rng.integers(15, 60))):
        aside = apart * rng.normal(0, 1.0)
        above = apart * rng.uniform(1.2, 1.8)
        start = eyes + np.array([aside, -above])
        slant = lean + rng.normal(0, 0.15)
        length = apart * rng.uniform(0.4, 1.3)
        end = start + np.array([slant, 1.0]) * length
        pen.line(start, end)
    return pen.cover


class Pen:
    """Draws smooth lines on a square ``cover`` of ``side`` pixels."""

    def __init__(self, side: int, thickness: float) -> None:
        self.cover: Cover = np.zeros((side, side), np.uint8)
        self._thickness = max(1, round(thickness))

    def line(self, start: Point, end: Point) -> None:
        """From point to point."""
        first = _fixed(start)
        last = _fixed(end)
        cv2.line(self.cover, first, last, 255, self._thickness, cv2.LINE_AA, _SHIFT)

    def ring(self, middle: Point, wide: float, high: float, along: Point) -> None:
        """An ellipse whose first radius points ``along``."""
        x, y = along
        angle = float(np.degrees(np.arctan2(y, x)))
        radii = _fixed(np.array([wide, high]))
        cv2.ellipse(
            self.cover,
            _fixed(middle),
            radii,
            angle,
            0,
            360,
            255,
            self._thickness,
            cv2.LINE_AA,
            _SHIFT,
        )


def _fixed(point: Point) -> tuple[int, int]:
    x, y = point
    return round(float(x) * _ONE), round(float(y) * _ONE)
