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
#: Fractions of a pixel that positions are drawn with, as powers of two.
_SHIFT = 4
_ONE = 1 << _SHIFT


def glasses(points: Image, side: int, rng: np.random.Generator) -> Cover:
    """Frames about the eyes and a bridge between: [side,side], 255 where they are. ``points`` [5,2]
    in pixels of the crop."""
    cover = np.zeros((side, side), np.uint8)
    left, right = points[0], points[1]
    apart = float(np.linalg.norm(right - left))
    radii = np.array([rng.uniform(0.32, 0.46), rng.uniform(0.24, 0.4)]) * apart
    angle = float(np.degrees(np.arctan2(*(right - left)[::-1])))
    thickness = max(1, round(apart * rng.uniform(0.02, 0.08)))
    for eye in (left, right):
        middle, axes = _fixed(eye), _fixed(radii)
        cv2.ellipse(cover, middle, axes, angle, 0, 360, 255, thickness, cv2.LINE_AA, _SHIFT)
    along = (right - left) / max(apart, 1e-6)
    ends = (left + along * radii[0], right - along * radii[0])
    cv2.line(cover, _fixed(ends[0]), _fixed(ends[1]), 255, thickness, cv2.LINE_AA, _SHIFT)
    for eye, way in ((left, -1), (right, 1)):
        start = eye + way * along * radii[0]
        end = start + way * along * apart
        cv2.line(cover, _fixed(start), _fixed(end), 255, thickness, cv2.LINE_AA, _SHIFT)
    return cover


def fringe(points: Image, side: int, rng: np.random.Generator) -> Cover:
    """Strands that hang from above into the brow: [side,side], 255 where they are."""
    cover = np.zeros((side, side), np.uint8)
    eyes = points[:2].mean(0)
    apart = float(np.linalg.norm(points[1] - points[0]))
    lean = rng.normal(0, 0.5)
    for _ in range(int(rng.integers(15, 60))):
        x = eyes[0] + rng.normal(0, 1.0) * apart
        top = eyes[1] - apart * rng.uniform(1.2, 1.8)
        length = apart * rng.uniform(0.4, 1.3)
        start = np.array([x, top])
        end = start + length * np.array([lean + rng.normal(0, 0.15), 1])
        thickness = max(1, round(apart * rng.uniform(0.02, 0.05)))
        cv2.line(cover, _fixed(start), _fixed(end), 255, thickness, cv2.LINE_AA, _SHIFT)
    return cover


def _fixed(point: NDArray[np.floating]) -> tuple[int, int]:
    x, y = (float(value) * _ONE for value in point)
    return round(x), round(y)
