"""The light that reaches a head: a scene's own lights know nothing of what stands in their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.data.harmonics import matte_harmonics

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: How far the answer is held to the scene's own light, which alone knows what comes from behind.
_RIDGE = 0.003
#: Every so manieth pixel of a row and of a column is looked at.
_STEP = 3


def received_light(normals: Image, shading: Image, inside: NDArray[np.bool_], own: Image) -> Image:
    """Harmonics of the house [27]: those that explain the diffuse ``shading`` [h,w,3] of unit
    ``normals`` [h,w,3] best, and lie near ``own`` [27], which is dimmed or brightened as a whole
    first."""
    every = slice(None, None, _STEP)
    seen = inside[every, every]
    rows = matte_harmonics(normals[every, every][seen])
    wanted = shading[every, every][seen].astype(np.float64)
    start = own.reshape(3, 9).T.astype(np.float64)
    brightness = _brightness(rows @ start, wanted)
    start = brightness * start
    missing = wanted - rows @ start
    light = start + _least_squares(rows, missing)
    return np.asarray(light.T.reshape(27), np.float32)


def _least_squares(rows: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients [9,3] that make ``wanted`` [N,3] of ``rows`` [N,9] and stay small."""
    count = max(len(rows), 1)
    matrix = rows.T @ rows / count
    sums = rows.T @ wanted / count
    return np.asarray(np.linalg.solve(matrix + _RIDGE * np.eye(9), sums))


def _brightness(made: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """The factor, never below 0, that brings one nearest to the other."""
    energy = float((made * made).sum())
    product = float((made * wanted).sum())
    return max(product, 0.0) / max(energy, 1e-9)
