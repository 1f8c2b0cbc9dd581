"""Answers that need no network: the mean of many faces, and light fitted to it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer

#: Mean normals of the rendered training heads in the square that the network sees, the two halves
#: alike; made by :func:`iid_residual.data.mean_face.write_mean_face`.
MEAN_FACE = Path(__file__).parents[1] / "samples" / "mean_face.png"
#: The mean reflectance of the same heads.
SKIN = (0.26, 0.15, 0.11)
_DIMMEST = 1e-3  # of fitted shading
_RIDGE = 0.1  # of the mean square of a harmonic
_SECOND_ORDER = slice(4, 9)


def mean_face(case: Case) -> Answer:
    """Everybody has the mean face and skin of one colour; every difference is light."""
    skin = np.asarray(SKIN, np.float32)
    gray = case.photo.mean(axis=2, keepdims=True)
    return {
        "normals": _normals(case),
        "albedo": np.broadcast_to(skin, case.photo.shape),
        "shading": gray / skin.mean(),
    }


def fitted_light(case: Case) -> Answer:
    """The light under which the mean face, in skin of one colour, comes nearest to the photo: nine
    coefficients a colour by least squares over the pixels of the mask (Basri and Jacobs 2003)."""
    normals = _normals(case)
    skin = np.asarray(SKIN, np.float32)
    light = fitted(normals[case.mask], case.photo[case.mask] / skin)
    shading = np.maximum(harmonics.shade(normals, light), _DIMMEST)
    return {
        "normals": normals,
        "albedo": np.broadcast_to(skin, case.photo.shape),
        "shading": shading,
        "rebuilt_by_harmonics": shading * skin,
        "light": {"faces": [{"sh": light.tolist()}]},
    }


def fitted(normals: Image, shading: Image) -> NDArray[np.float64]:
    """The light [27] that makes of normals [N,3] most nearly the shading [N,3].

    On the half of the sphere that a camera sees the nine functions are nearly alike; a little ridge
    on the five of the second order keeps them from cancelling the others out."""
    basis = harmonics.matte_harmonics(normals)
    products = basis.T @ basis
    level = _RIDGE * np.trace(products) / len(products)
    ridge = np.zeros(len(products))
    ridge[_SECOND_ORDER] = level
    wanted = basis.T @ shading.astype(np.float64)
    by_colour = np.linalg.lstsq(products + np.diag(ridge), wanted, rcond=None)[0].T
    return np.ascontiguousarray(by_colour).reshape(27)


def _normals(case: Case) -> Image:
    """The mean face, brought to the size of the photo."""
    square = max(case.photo.shape[:2])
    large = resize(_mean_normals(), square)
    height, width = case.photo.shape[:2]
    top = (square - height) // 2
    left = (square - width) // 2
    normals = large[top : top + height, left : left + width]
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    return np.asarray(normals / np.maximum(length, 1e-6), np.float32)


@cache
def _mean_normals() -> Image:
    """[64,64,3]: x right, y up, z to the viewer."""
    return read_photo(MEAN_FACE, "linear").pixels * np.float32(2) - np.float32(1)
