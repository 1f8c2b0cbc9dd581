"""Light as real spherical harmonics of the second order: 27 numbers, nine red, nine green, nine
blue.

Axes are the camera's: x right, y up, z to the viewer. The order of the nine is 00, 1-1 (y), 10 (z),
11 (x), 2-2 (xy), 2-1 (yz), 20, 21 (xz), 22 (x² − y²). The coefficients are those of the light that
arrives; a matt white surface makes of them the shading that :func:`shade` computes (Ramamoorthi &
Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001, divided by
π so that even light of 1 gives a shading of 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image

#: Places of the harmonics that change sign when left and right change places.
ODD_IN_X = [3, 4, 7]
#: What is left of each harmonic after a matt surface has gathered light from everywhere.
_GATHERED = np.array([1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4])
_BAND_0 = np.sqrt(1 / (4 * np.pi))
_BAND_1 = np.sqrt(3 / (4 * np.pi))
_BAND_2 = np.sqrt(15 / (4 * np.pi))


def harmonics(directions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit vectors [...,3] → the nine harmonics [...,9] in their directions."""
    x, y, z = np.moveaxis(directions.astype(np.float64), -1, 0)
    nine = [
        np.full_like(x, _BAND_0),
        _BAND_1 * y,
        _BAND_1 * z,
        _BAND_1 * x,
        _BAND_2 * x * y,
        _BAND_2 * y * z,
        _BAND_2 / np.sqrt(12) * (3 * z * z - 1),
        _BAND_2 * x * z,
        _BAND_2 / 2 * (x * x - y * y),
    ]
    return np.stack(nine, axis=-1)


def matte_harmonics(normals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Unit normals [...,3] → what each coefficient of the light adds to the shading of a matt
    surface [...,9]."""
    basis: NDArray[np.float64] = harmonics(normals) * _GATHERED
    return basis


def shade(normals: Image, light: NDArray[np.floating]) -> Image:
    """Unit normals [...,3] and light [27] → the shading [...,3] of a matt surface, not clamped."""
    by_colour = light.reshape(3, 9).astype(np.float64)
    return np.asarray(matte_harmonics(normals) @ by_colour.T, np.float32)
