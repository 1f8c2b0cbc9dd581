"""Shading brought to the photo's size on the CPU, by OpenCV: the formula of
:mod:`~intrinsic_cli.kit.light.upsample`, which goes before and whose numbers these are within
rounding. Its logarithms and powers take a third of the time of torch's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.resize import bands, resize, resize_width
from intrinsic_cli.kit.light.upsample import (
    covers,
    empty_layer,
    shading_maps,
    shading_of,
    size_of,
    upsample_rows,
)
from intrinsic_cli.kit.light.upsample import upsample_shading as upsample_anywhere

Planes = NDArray[np.float32]

#: Bands are so much lower than elsewhere: what they need comes from memory already at hand.
_FINER = 4


def upsample_shading(photo: Tensor, shading: Tensor, small: Tensor | None = None) -> Tensor:
    """As :func:`~intrinsic_cli.kit.light.upsample.upsample_shading`, of one photo [1,3,H,W]."""
    size = size_of(photo)
    if covers(shading, size):
        return upsample_anywhere(photo, shading, small)
    if small is None:
        small = resize(photo, size_of(shading))
    maps = resize_width(shading_maps(small, shading), size[1])
    full = empty_layer(photo, shading.shape[1])
    for rows in bands(size[0], _FINER * size[1]):
        shown = photo[:, :, rows].contiguous()
        full[:, :, rows] = shading_rows(maps, shown, rows, size)
    return full


def shading_rows(maps: Tensor, shown: Tensor, rows: slice, size: tuple[int, int]) -> Tensor:
    """As :func:`~intrinsic_cli.kit.light.upsample.shading_rows`, of one photo."""
    return shading_of(upsample_rows(maps, rows, size), shown, _log, _exp)


def _log(values: Tensor) -> Tensor:
    numbers = _flat(values)
    cv2.log(numbers, numbers)
    return values


def _exp(values: Tensor) -> Tensor:
    numbers = _flat(values)
    cv2.exp(numbers, numbers)
    return values


def _flat(values: Tensor) -> Planes:
    """Its memory as a picture of one row."""
    numbers: Planes = values.view(1, -1).numpy()
    return numbers
