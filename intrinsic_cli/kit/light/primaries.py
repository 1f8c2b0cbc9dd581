"""Linear RGB of other primaries (ACES, Rec. 2020, …) → those of sRGB and Rec. 709."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError

#: x and y of red, green, blue and white (D65), as an EXR header has them.
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

_SAME = 2e-3  # programs round chromaticities to three digits
#: X, Y and Z of the white of colour profiles (ICC.1: D50, as its numbers are rounded there).
PROFILE_WHITE = (0.9642, 1.0, 0.8249)
#: The cone responses in which whites are adapted to one another (Lam 1985, "Bradford").
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def to_rec709(pixels: NDArray[np.float32], chromaticities: Sequence[float]) -> NDArray[np.float32]:
    """[H,W,3] linear in the primaries of ``chromaticities`` (() = Rec. 709 already) → [H,W,3]
    linear in those of Rec. 709, white staying white. Colours beyond them become negative."""
    if not len(chromaticities):
        return pixels
    if len(chromaticities) != len(REC709):
        raise _unusable()
    if np.allclose(chromaticities, REC709, rtol=0, atol=_SAME):
        return pixels
    matrix = rec709_matrix(chromaticities).astype(np.float32)
    converted = pixels @ matrix.T
    return np.asarray(converted)


def rec709_matrix(chromaticities: Sequence[float]) -> NDArray[np.float64]:
    """The 3×3 matrix from RGB of these ``chromaticities`` to RGB of Rec. 709. DataError where they
    span no colours."""
    try:
        source, target = _to_xyz(chromaticities), _to_xyz(REC709)
        adaptation = _adaptation(source.sum(axis=1), target.sum(axis=1))
        matrix = np.linalg.inv(target) @ adaptation @ source
    except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
        raise _unusable() from error
    if not np.isfinite(matrix).all():
        raise _unusable()
    return np.asarray(matrix)


def profile_to_rec709() -> NDArray[np.float64]:
    """The 3×3 matrix from XYZ as colour profiles have it, with the white D50, to RGB of Rec. 709;
    white becomes 1, 1, 1."""
    target = _to_xyz(REC709)
    white = np.asarray(PROFILE_WHITE, np.float64)
    adaptation = _adaptation(white, target.sum(axis=1))
    return np.asarray(np.linalg.inv(target) @ adaptation)


def _adaptation(white: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
    """The matrix of XYZ that turns one white into another."""
    gains = (_BRADFORD @ wanted) / (_BRADFORD @ white)
    adaptation = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD
    return np.asarray(adaptation)


def _to_xyz(chromaticities: Sequence[float]) -> NDArray[Any]:
    """The matrix from RGB to XYZ; its columns add up to the white, of luminance 1 (SMPTE RP
    177)."""
    corners = np.asarray(chromaticities, np.float64).reshape(4, 2)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        x = corners[:, 0]
        y = corners[:, 1]
        z = 1 - x - y
        xyz = np.stack([x / y, y / y, z / y])
        primaries = xyz[:, :3]
        white = xyz[:, 3]
        amounts = np.linalg.solve(primaries, white)
        return primaries * amounts


def _unusable() -> DataError:
    hint = "export it in linear sRGB (Rec. 709), or mend the chromaticities in its header"
    return DataError("the image names primaries that span no colours", hint)
