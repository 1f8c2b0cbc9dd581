"""Squares cut from whole cases: what a network trains on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS
from intrinsic_cli.kit.data.rows import kind_of_row
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Row
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

_SMALLEST = 0.55  # of the shorter side: the smallest square a training crop is cut from
WHITE, DARK = 0.98, 2e-3  # a photo clips above, a shading is too dark to learn from below
WHOLE = 0.99  # a resized mask is True where it has more than this
#: Layers that come with three channels, also where a file holds only one.
_COLOURED = {"photo", *FACTORS, *SUMMANDS, "residual"}


class Window(NamedTuple):
    """A square of a picture, in pixels."""

    top: int
    left: int
    size: int

    def of(self, picture: NDArray[Any]) -> NDArray[Any]:
        """What of [H,W,...] lies in the square."""
        return picture[self.top : self.top + self.size, self.left : self.left + self.size]


def middle_window(height: int, width: int) -> Window:
    """The largest square in the middle."""
    size = min(height, width)
    return Window((height - size) // 2, (width - size) // 2, size)


def random_window(height: int, width: int, rng: np.random.Generator) -> Window:
    """A random square, not much smaller than the largest."""
    share = rng.uniform(_SMALLEST, 1)
    size = round(min(height, width) * share)
    size = max(1, size)
    top = rng.integers(height - size + 1)
    left = rng.integers(width - size + 1)
    return Window(int(top), int(left), size)


def resize(picture: Image, side: int) -> Image:
    """[H,W] or [H,W,C] → a square of ``side``: by area when it shrinks, bilinear when it grows."""
    method = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_LINEAR
    whole = np.ascontiguousarray(picture)
    return np.asarray(cv2.resize(whole, (side, side), interpolation=method), np.float32)


def cut(
    case: Case,
    window: Window,
    side: int,
    offers: frozenset[str],
    own: Mapping[str, Row] | None = None,
) -> Sample:
    """A square of the case: its photo, its truth, and what of its facts the dataset offers.

    The ``mask`` leaves out what training cannot use: clipped pixels and deep shadow."""
    planes = {"photo": case.photo, **case.truth}
    sample = {key: _plane(key, window.of(plane), side) for key, plane in planes.items()}
    for key in sorted(offers & case.facts.keys()):
        sample[key] = _fact(case.facts[key], kind_of_row(key, own), window, case.mask.shape)
    known = resize(window.of(case.mask).astype(np.float32), side) > WHOLE
    known &= sample["photo"].max(-1) < WHITE
    if "shading" in sample:
        known &= sample["shading"].min(-1) > DARK
    return {**sample, "mask": known[..., None].astype(np.float32)}


def _plane(key: str, square: Image, side: int) -> Image:
    """[S,S,C] → [side,side,C], with three channels where the layer is a coloured one."""
    if key in _COLOURED:
        square = np.broadcast_to(square, (*square.shape[:2], 3))
    return resize(square, side).reshape(side, side, -1)


def _fact(values: Image, kind: Row, window: Window, shape: tuple[int, int]) -> Image:
    """Points of the whole picture in the coordinates of the window; anything else as it is."""
    if kind != "points":
        return values
    height, width = shape
    points = np.array(values, np.float32)
    points[:, 0] = _moved(points[:, 0], width, window.left, window.size)
    points[:, 1] = _moved(points[:, 1], height, window.top, window.size)
    return points


def _moved(places: Image, side: int, start: int, size: int) -> Image:
    """Places in -1..1 along a side → in -1..1 of the ``size`` pixels from ``start`` on."""
    pixels = (places + 1) * side / 2
    return np.asarray((pixels - start) * 2 / size - 1, np.float32)
