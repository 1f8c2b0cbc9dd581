"""Shadows of training photos: thrown by what stands outside the picture, or cast by things in it,
with sharp edges or soft ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.synth.cast_shadows import cast_shadow
from intrinsic_cli.kit.data.synth.thrown_shadows import throw_shadow
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_CAST = 0.5  # of the shadows are those of things in the picture, where there are such
_SOFTEST = 0.03  # of the picture's side: the widest edge's spread
_SHARPEST = 0.001


def random_shadow(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """[H,W] object numbers → [H,W] in 0..1: the share of a light that arrives."""
    shadow = cast_shadow(ids, rng) if rng.random() < _CAST else None
    if shadow is None:
        shadow = throw_shadow(ids, rng)
    return soften(shadow, rng)


def soften(pattern: Image, rng: np.random.Generator) -> Image:
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
