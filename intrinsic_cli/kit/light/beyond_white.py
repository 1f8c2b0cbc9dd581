"""Light beyond white, which cameras do not store and renderers do: what it is divided by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Numbers of a photo that are looked at: enough for a steady percentile.
SAMPLE = 1 << 20
_CHANNELS = 3


def exposure_of(pixels: Image) -> float:
    """What to divide a photo [H,W,3] by: 1, or the 99th percentile where float light goes beyond
    what cameras store."""
    if pixels.max(initial=0.0) <= 1.0:
        return 1.0
    height, width = pixels.shape[:2]
    step = sample_step(height, width)
    return exposure_of_sample(pixels[::step, ::step])


def sample_step(height: int, width: int) -> int:
    """Of every so many rows and columns of a photo one is looked at."""
    numbers = height * width * _CHANNELS
    return max(1, int((numbers / SAMPLE) ** 0.5))


def exposure_of_sample(pixels: Image) -> float:
    """The same of these pixels [h,w,3], some of which are beyond white."""
    return max(1.0, float(np.percentile(brightest(pixels), 99)))
