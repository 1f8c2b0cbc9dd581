"""Silhouettes from files of their own: what a photo's alpha would say, drawn as a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.decode import decode
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, split_alpha

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: By how much the proportions of a mask may differ from its photo's.
_OFF = 0.02


def with_mask(photo: Photo, data: bytes, name: str = "the mask") -> Photo:
    """The photo with the mask in the bytes of an image file as its alpha; a smaller or larger mask
    is resized. DataError where it is no picture or not of the photo's proportions."""
    try:
        mask = read_mask(data)
    except DataError as error:
        raise DataError(f"its mask {name}: {error.message}", error.hint) from error
    height, width = photo.pixels.shape[:2]
    if mask.shape != (height, width):
        _check_shape(mask, height, width, name)
        resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        mask = np.asarray(resized, np.float32)
    return replace(photo, alpha=mask)


def read_mask(data: bytes) -> Image:
    """[H,W] in 0..1: the alpha of a cut-out, else the brightness of the picture's codes."""
    codes = decode(data)
    planes = codes if codes.ndim == 3 else codes[..., None]
    colours, alpha = split_alpha(planes)
    if alpha is not None and alpha.min() < 1:
        return alpha
    mean = _unit(colours).mean(axis=2)
    clipped = np.clip(np.nan_to_num(mean), 0, 1)
    return np.asarray(clipped, np.float32)


def _unit(codes: NDArray[Any]) -> NDArray[np.float64]:
    if codes.dtype.kind == "f":
        return codes.astype(np.float64)
    # Drawn as 0 and 1, a mask is as good as one of 0 and 255.
    top = 1 if codes.max(initial=0) == 1 else np.iinfo(codes.dtype).max
    return np.asarray(codes / top)


def _check_shape(mask: Image, height: int, width: int, name: str) -> None:
    own_height, own_width = mask.shape
    ratio = (own_width * height) / (own_height * width)
    if abs(ratio - 1) > _OFF:
        message = f"its mask {name} has {own_width}x{own_height} pixels, it has {width}x{height}"
        raise DataError(message, "a mask covers all of its photo")
