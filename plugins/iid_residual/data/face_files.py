"""Normals and light as SfSNet's files hold them (Sengupta et al., "SfSNet", CVPR 2018): in the axes
and the order of :mod:`iid_residual.harmonics`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from iid_residual import harmonics
from intrinsic_cli.api import DataError

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


def read_light(path: Path) -> Image:
    """27 numbers of one text file: nine red, nine green, nine blue."""
    try:
        light = np.array(path.read_text().split(), np.float32)
    except ValueError:
        light = np.zeros(0, np.float32)
    if light.shape != (27,):
        raise DataError(f"{path} does not hold 27 numbers", "nine harmonics for each colour")
    return light


def decode_normals(codes: Image) -> Image:
    """A file's numbers 0..1 [H,W,3] → unit normals in the files' axes: (byte − 128)/128, then unit
    length."""
    vectors = (codes * 255 - 128) / 128
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-8), np.float32)


def light_of_house(light: Image) -> Image:
    """The files' light [27] → light [27] as :mod:`intrinsic_cli.kit.data.harmonics` has it."""
    ours = harmonics.to_house(torch.from_numpy(light)[None])
    return np.asarray(ours[0].numpy(), np.float32)


def normals_of_house(normals: Image) -> Image:
    """[H,W,3] x down, y right → x right, y up."""
    return _picture(harmonics.vectors_to_house(_planes(normals)))


def shading_of(normals: Image, light: Image) -> Image:
    """Normals [H,W,3] and light [27], both as in the files → shading [H,W,3], not clamped."""
    return _picture(harmonics.shade(_planes(normals), torch.from_numpy(light)[None]))


def _planes(picture: Image) -> Tensor:
    """[H,W,3] → [1,3,H,W]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


def _picture(planes: Tensor) -> Image:
    """[1,3,H,W] → [H,W,3]."""
    return np.ascontiguousarray(planes[0].permute(1, 2, 0).numpy())
