"""Hard shadows: thrown by what stands outside the picture, or cast by things in it.

Rendered rooms know few of them, photos are full of them. From outside, a flat pattern is laid over
the picture in perspective, and breaks where one object ends and another begins, as a shadow
does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.synth.cast_shadows import cast_shadow
from intrinsic_cli.kit.data.synth.patterns import SIDE, draw_flat
from intrinsic_cli.kit.data.synth.perspective import pixel_places, random_perspective
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_CAST = 0.5  # of the shadows are those of things in the picture, where there are such
_MARGIN = 0.5  # of the picture's side, that a flat pattern reaches beyond it
_BROKEN = 0.6  # of the patterns jump from object to object
_JUMP = 0.25  # of the picture's side: the spread of the jumps
_SOFTEST = 0.03  # of the picture's side: the widest edge's spread
_SHARPEST = 0.001
_OBJECTS = 256


def throw_shadow(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """[H,W] object numbers → [H,W] in 0..1: the share of a light that arrives."""
    cast = cast_shadow(ids, rng) if rng.random() < _CAST else None
    hard = _laid_over(ids, rng) if cast is None else cast
    return _softened(hard, rng)


def _laid_over(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """A flat pattern in perspective, shifted for every object where it breaks."""
    flat = draw_flat(rng)
    places = pixel_places(*ids.shape)
    seen = cv2.perspectiveTransform(places, random_perspective(rng))
    if rng.random() < _BROKEN:
        jumps = rng.normal(0, _JUMP, (_OBJECTS, 2))
        seen = seen + jumps[ids]
    inside = (seen + _MARGIN) / (1 + 2 * _MARGIN)
    pixels = np.asarray(inside * SIDE, np.float32)
    across, down = cv2.split(pixels)
    return np.asarray(
        cv2.remap(flat, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    )


def _softened(pattern: Image, rng: np.random.Generator) -> Image:
    """Edges of one width, or sharp at one side of the picture and soft at the other."""
    side = pattern.shape[0]
    low, high = np.log(_SHARPEST), np.log(_SOFTEST)
    widths = np.exp(rng.uniform(low, high, 2))
    sharp, soft = np.sort(widths) * side
    crisp = _blurred(pattern, sharp)
    if rng.random() < 0.5:
        return crisp
    smooth = _blurred(pattern, soft)
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    share = np.broadcast_to(ramp, pattern.shape)
    if rng.random() < 0.5:
        share = share.T
    return np.asarray(crisp + share * (smooth - crisp), np.float32)


def _blurred(pattern: Image, spread: float) -> Image:
    blurred = cv2.GaussianBlur(pattern, (0, 0), max(spread, 0.3))
    return np.asarray(blurred, np.float32)
