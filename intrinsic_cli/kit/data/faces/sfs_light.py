"""Normals and light as SfSNet's files hold them, and in the axes of the house.

The files have x down, y right and z to the viewer. Their light is nine numbers a colour for 1, z,
x, y, 3z² − 1, xz, yz, x² − y², xy, with π times what a matt surface makes of them folded in
(Sengupta et al., "SfSNet", CVPR 2018).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import DataError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: For each harmonic of the house (00, y, z, x, xy, yz, 20, xz, x² − y²): the place of the one in
#: the files that is the same function or its negative, once x down is −y and y right is x.
_PLACE = [0, 2, 1, 3, 8, 5, 4, 6, 7]
_SIGN = np.array([1, -1, 1, 1, -1, -1, 1, 1, -1], np.float32)
_C = (
    np.sqrt(np.pi) / 2,
    np.sqrt(np.pi / 3),
    np.sqrt(5 * np.pi) / 16,
    np.sqrt(15 * np.pi) / 8,
    np.sqrt(15 * np.pi) / 16,
)


def read_light(path: Path) -> Image:
    """27 numbers of one text file: nine red, nine green, nine blue."""
    try:
        light = np.array(path.read_text().split(), np.float32)
    except ValueError:
        light = np.zeros(0, np.float32)
    if light.shape != (27,):
        raise DataError(f"{path} does not hold 27 numbers", "nine harmonics for each colour")
    return light


def light_in_house_axes(light: Image) -> Image:
    """The files' light [27] → light [27] as :mod:`intrinsic_cli.kit.data.harmonics` has it."""
    by_colour = light.reshape(3, 9)[:, _PLACE] * _SIGN
    return np.asarray(np.float32(np.pi) * by_colour.reshape(27), np.float32)


def normals_in_house_axes(normals: Image) -> Image:
    """[H,W,3] x down, y right → x right, y up."""
    down, right, forward = np.moveaxis(normals, -1, 0)
    return np.stack([right, -down, forward], axis=-1)


def decode_normals(codes: Image) -> Image:
    """A file's numbers 0..1 [H,W,3] → unit normals in the files' axes: (byte − 128)/128, then unit
    length."""
    vectors = (codes * 255 - 128) / 128
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-8), np.float32)


def shade(normals: Image, light: Image) -> Image:
    """Normals [H,W,3] and light [27], both in the files' axes → shading [H,W,3], not clamped."""
    x, y, z = np.moveaxis(normals.astype(np.float64), -1, 0)
    c = _C
    basis = [
        np.full_like(x, c[0]),
        c[1] * z,
        c[1] * x,
        c[1] * y,
        c[2] * (2 * z * z - x * x - y * y),
        c[3] * x * z,
        c[3] * y * z,
        c[4] * (x * x - y * y),
        c[3] * x * y,
    ]
    return np.asarray(np.stack(basis, axis=-1) @ light.reshape(3, 9).T, np.float32)
