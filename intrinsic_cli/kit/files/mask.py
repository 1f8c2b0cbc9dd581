"""Silhouettes from files of their own: what a photo's alpha would say, drawn as a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.decode import decode
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, split_alpha
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: By how much the proportions of a mask may differ from its photo's.
_OFF = 0.02


class Mask:
    """A mask in the bytes of an image file, kept as its codes: the alpha of a cut-out, else the
    brightness of the picture's codes. ``size`` is (h, w). DataError where it is no picture."""

    def __init__(self, data: bytes) -> None:
        codes = decode(data)
        height, width = codes.shape[:2]
        self.size = height, width
        self._codes = codes.reshape(height, width, -1)
        self._is_cut_out = any(self._cuts(rows) for rows in bands(height, width))
        self._white = self._code_of_white()

    def rows(self, rows: slice) -> Image:
        """Some rows, [n,W] in 0..1."""
        colours, alpha = split_alpha(self._codes[rows])
        if self._is_cut_out and alpha is not None:
            return alpha
        mean = np.asarray(colours / self._white, np.float64).mean(axis=2)
        clipped = np.clip(np.nan_to_num(mean), 0, 1)
        return np.asarray(clipped, np.float32)

    def resized_rows(self, rows: slice, size: tuple[int, int]) -> Image:
        """Some rows of the mask at another ``size`` (h, w), [n,W]: bilinear."""
        height, width = size
        part = self._rows_between(rows, height)
        if width == self.size[1]:
            return part
        resized = cv2.resize(part, (width, len(part)), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.float32)

    def _rows_between(self, rows: slice, height: int) -> Image:
        """Some rows of the mask at another ``height``, [n,w]."""
        own = self.size[0]
        if height == own:
            return self.rows(rows)
        numbers = np.arange(*rows.indices(height))
        middles = (numbers + 0.5) * (own / height) - 0.5
        places = middles.clip(0, own - 1)
        above = places.astype(int)
        below = np.minimum(above + 1, own - 1)
        first = int(above[0])
        source = self.rows(slice(first, int(below[-1]) + 1))
        share = np.asarray(places - above, np.float32)[:, None]
        mixed: Image = source[above - first] * (1 - share) + source[below - first] * share
        return mixed

    def _cuts(self, rows: slice) -> bool:
        """Is something in these rows said to be no part of the picture?"""
        _, alpha = split_alpha(self._codes[rows])
        return alpha is not None and bool(alpha.min() < 1)

    def _code_of_white(self) -> int:
        colours, _ = split_alpha(self._codes[:1])
        if colours.dtype.kind == "f":
            return 1
        # Drawn as 0 and 1, a mask is as good as one of 0 and 255.
        top = int(self._codes[..., : colours.shape[2]].max(initial=0))
        return 1 if top == 1 else int(np.iinfo(colours.dtype).max)


def open_mask(data: bytes, size: tuple[int, int], name: str = "the mask") -> Mask:
    """The mask of a photo of ``size`` (h, w). DataError where it is no picture or not of the
    photo's proportions."""
    try:
        mask = Mask(data)
    except DataError as error:
        raise DataError(f"its mask {name}: {error.message}", error.hint) from error
    _check_shape(mask.size, size, name)
    return mask


def with_mask(photo: Photo, data: bytes, name: str = "the mask") -> Photo:
    """The photo with the mask in the bytes of an image file as its alpha; a smaller or larger mask
    is resized. DataError where it is no picture or not of the photo's proportions."""
    height, width = photo.pixels.shape[:2]
    mask = open_mask(data, (height, width), name)
    alpha = np.empty((height, width), np.float32)
    for rows in bands(height, width):
        alpha[rows] = mask.resized_rows(rows, (height, width))
    return replace(photo, alpha=alpha)


def _check_shape(own: tuple[int, int], size: tuple[int, int], name: str) -> None:
    height, width = size
    own_height, own_width = own
    if own == size:
        return
    ratio = (own_width * height) / (own_height * width)
    if abs(ratio - 1) > _OFF:
        message = f"its mask {name} has {own_width}x{own_height} pixels, it has {width}x{height}"
        raise DataError(message, "a mask covers all of its photo")
