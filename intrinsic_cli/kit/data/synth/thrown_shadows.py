"""Hard shadows thrown by what stands outside the picture.

Rendered rooms know few of them, photos are full of them. A flat pattern is laid over the picture in
perspective, and breaks where one object ends and another begins, as a shadow does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.synth.patterns import SIDE, draw_flat
from intrinsic_cli.kit.data.synth.perspective import pixel_places, random_perspective
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

_MARGIN = 0.5  # of the picture's side, that a flat pattern reaches beyond it
_BROKEN = 0.6  # of the patterns jump from object to object
_JUMP = 0.25  # of the picture's side: the spread of the jumps
_OBJECTS = 256


def throw_shadow(ids: NDArray[np.uint8], rng: np.random.Generator) -> Image:
    """[H,W] object numbers → [H,W] in 0..1: the share of a light that arrives, behind a random flat
    pattern in perspective, which is shifted for every object where it breaks."""
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
