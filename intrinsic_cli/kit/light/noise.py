"""How far a photo's numbers can be trusted near black: the steps of its codes, and its grain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.light.colour import luminance

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Rows that are looked at for grain: a few hundred thousand pixels of a large photo.
ROWS = 48
#: Codes by which a dark pixel is off: rounding, what JPEG leaves out, and black levels that cameras
#: set a little wrong. On JPEGs of rendered scenes the colour of dark albedo (below .02 in the
#: photo) is off by 6.3 degrees as divided, 5.5 with four codes, 5.4 with eight; by 8.5, 7.8 and 7.1
#: where they were exposed as bright as they go.
_CODES = 6.0
_SLOPE = 12.92  # of the curve of sRGB at black, where profiles have about the same
_DARK = 0.02  # grain is measured in pixels below this part of white
_FEWEST = 500  # of such pixels
_QUARTILE = 0.3186  # the lower quartile of the magnitude of a Gaussian, in standard deviations
_SECOND = 6**0.5  # standard deviation of 1, −2, 1 over independent values
_MOST = 0.01  # what looks like more grain is texture; and more can hardly be mended


def noise_near_black(
    read: Callable[[slice], Image], size: tuple[int, int], bits: int, encoding: str
) -> float:
    """The standard error of dark pixels of a photo of ``size`` (h, w), in units of its white.
    ``read(rows)`` gives some of its rows [N,W,3] linear; ``bits`` and ``encoding`` are those of its
    file: the larger of :func:`code_noise` and the grain of dark, even places."""
    numbers = noise_rows(size[0])
    rows = [read(slice(number, number + 1)) for number in numbers]
    return max(code_noise(bits, encoding), grain(np.concatenate(rows)))


def noise_rows(height: int) -> list[int]:
    """The rows of a photo that are read for it: :data:`ROWS`, all over the photo."""
    count = min(ROWS, height)
    return [(2 * index + 1) * height // (2 * count) for index in range(count)]


def code_noise(bits: int, encoding: str) -> float:
    """What the codes of a file leave uncertain near black; 0 for floats."""
    if bits > 16:
        return 0.0
    step = 1.0 / ((1 << bits) - 1)
    slope = 1.0 if encoding == "linear" else _SLOPE
    return min(_MOST, _CODES * step / slope)


def grain(rows: Image) -> float:
    """The standard deviation of noise in the dark pixels of rows [N,W,3] linear, from the second
    differences along a row; their lower quartile, as edges and texture make the large ones. 0 where
    hardly any pixel is dark."""
    with np.errstate(over="ignore", invalid="ignore"):  # of light that is no photo's
        second = _second_differences(rows)
    if len(second) < _FEWEST:
        return 0.0
    quartile = float(np.quantile(second, 0.25))
    return min(_MOST, quartile / _QUARTILE / _SECOND)


def _second_differences(rows: Image) -> Image:
    """Their magnitudes at the dark pixels of rows."""
    light = luminance(rows, axis=2)[..., 0]
    white = max(1.0, float(light.max(initial=0.0)))
    left = light[:, :-2]
    middle = light[:, 1:-1]
    right = light[:, 2:]
    brighter = np.maximum(left, right)
    dark = np.maximum(brighter, middle) < _DARK * white
    curved = left - 2 * middle + right
    second: Image = np.abs(curved[dark])
    return second
