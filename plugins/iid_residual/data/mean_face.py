"""The mean of rendered heads: what faces have in common, which a method has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.crops import resize
from intrinsic_cli.kit.files.photo import write_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api import Case
    from intrinsic_cli.api.outputs import Image

SIDE = 64
_SHORT = 0.25  # length of a mean below which hardly anybody has a head there


def mean_face(cases: Iterable[Case]) -> tuple[Image, Image]:
    """The mean normals [64,64,3] of heads cut out alike, left and right the same and towards the
    viewer where there is hardly ever a head; and their mean reflectance [3]."""
    total = np.zeros((SIDE, SIDE, 3))
    colours = []
    for case in cases:
        if case.mask.any():
            inside = case.mask[..., None].astype(np.float32)
            total += resize(case.truth["normals"] * inside, SIDE)
            skin = case.truth["albedo"][case.mask]
            colours.append(skin.mean(axis=0))
    mirrored = total[:, ::-1] * (-1, 1, 1)
    mean = (total + mirrored) / max(2 * len(colours), 1)
    return _unit(mean), np.mean(colours, axis=0)


def _unit(mean: NDArray[np.float64]) -> Image:
    """Where few have a head, their mean is short: it fades into the direction of the viewer."""
    length = np.linalg.norm(mean, axis=2, keepdims=True)
    lacking = np.maximum(_SHORT - length, 0)
    filled = mean + lacking * (0, 0, 1)
    whole = np.linalg.norm(filled, axis=2, keepdims=True)
    normals = filled / np.maximum(whole, 1e-6)
    return np.asarray(normals, np.float32)


def write_mean_face(cases: Iterable[Case], path: Path) -> Image:
    """Write the mean normals as a PNG of (n + 1) / 2; the mean reflectance [3]."""
    normals, colour = mean_face(cases)
    codes = np.rint((normals + 1) * 127.5)
    write_png(path, codes.astype(np.uint8))
    return colour
