"""Shading brought to the photo's size on the CPU, by OpenCV: the formula of
:mod:`~intrinsic_cli.kit.light.upsample`, which goes before and whose numbers these are within
rounding, in half the time (12 megapixels: 0.5 s instead of 0.9 on one thread)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import LUMINANCE
from intrinsic_cli.kit.light.resize import bands, resize
from intrinsic_cli.kit.light.upsample import (
    DARK,
    FLOOR,
    covers,
    empty_layer,
    mix_rows,
    shading_maps,
    shading_rows,
    size_of,
)
from intrinsic_cli.kit.light.upsample import upsample_shading as upsample_anywhere

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Bands are so much lower than elsewhere: what they need comes from memory already at hand.
_FINER = 4
_LUMINANCE = np.asarray([LUMINANCE], np.float32)


def upsample_shading(photo: Tensor, shading: Tensor, small: Tensor | None = None) -> Tensor:
    """As :func:`~intrinsic_cli.kit.light.upsample.upsample_shading`, of one photo [1,3,H,W]."""
    size = size_of(photo)
    if photo.device.type != "cpu" or covers(shading, size):
        return upsample_anywhere(photo, shading, small)
    if small is None:
        small = resize(photo, size_of(shading))
    maps = shading_maps(small, shading)
    full = empty_layer(photo, shading.shape[1])
    for rows in bands(size[0], _FINER * size[1]):
        full[:, :, rows] = fast_shading_rows(maps, photo[:, :, rows], rows, size)
    return full


def fast_shading_rows(maps: Tensor, shown: Tensor, rows: slice, size: tuple[int, int]) -> Tensor:
    """As :func:`~intrinsic_cli.kit.light.upsample.shading_rows`, of one photo."""
    if shown.device.type != "cpu":
        return shading_rows(maps, shown, rows, size)
    photo = np.ascontiguousarray(shown[0].permute(1, 2, 0).numpy())
    mixed = mix_rows(maps, rows, size[0])[0]
    *shades, slope, guide = (_wider(plane, size[1]) for plane in mixed)
    detail = cv2.log(cv2.transform(photo, _LUMINANCE) + np.float32(DARK))
    detail -= guide
    detail *= slope
    for shade in shades:
        shade += detail
    made = cv2.exp(cv2.merge(shades))
    np.maximum(made, np.float32(FLOOR), out=made)
    planes = made if made.ndim == 3 else made[..., None]
    return torch.from_numpy(planes).permute(2, 0, 1)[None]


def _wider(plane: Tensor, width: int) -> Image:
    """[h,w] → [h,width], bilinear."""
    values = np.ascontiguousarray(plane.numpy())
    wide: Image = cv2.resize(values, (width, len(values)), interpolation=cv2.INTER_LINEAR)
    return wide
