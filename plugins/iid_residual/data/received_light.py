"""The light that reaches a head: a scene's own lights know nothing of what stands in their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.data.harmonics import matte_harmonics

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Numbers = NDArray[np.floating]
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
    facing = normals[every, every][seen]
    wanted = shading[every, every][seen]
    rows = matte_harmonics(facing)
    start = own.reshape(3, 9).T
    brightness = _brightness(rows @ start, wanted)
    start = brightness * start
    missing = wanted - rows @ start
    light = start + _least_squares(rows, missing)
    return light.T.reshape(27).astype(np.float32)


def _least_squares(rows: Numbers, wanted: Numbers) -> Numbers:
    """Coefficients [9,3] that make ``wanted`` [N,3] of ``rows`` [N,9] and stay small."""
    count = max(len(rows), 1)
    ridge = count * _RIDGE
    matrix = rows.T @ rows
    matrix += ridge * np.eye(9)
    sums = rows.T @ wanted
    found: Numbers = np.linalg.solve(matrix, sums)
    return found


def _brightness(made: Numbers, wanted: Numbers) -> float:
    """The factor, never below 0, that brings one nearest to the other."""
    energy = float((made * made).sum())
    product = float((made * wanted).sum())
    return max(product, 0.0) / max(energy, 1e-9)
