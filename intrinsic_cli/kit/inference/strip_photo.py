"""A photo in memory taken apart strip by strip, where its device has no room for all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api import Decomposer, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.files.planes import planes_of
from intrinsic_cli.kit.inference.answer import Kinds, Part
from intrinsic_cli.kit.inference.prepare import to_image, to_tensor
from intrinsic_cli.kit.inference.strips import make_strips
from intrinsic_cli.kit.light.beyond_white import exposure_of
from intrinsic_cli.kit.light.noise import noise_near_black
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


@dataclass(frozen=True, slots=True)
class PhotoInMemory:
    """Rows of a photo that is whole in memory, whose light is divided by its ``exposure``."""

    header: Photo
    exposure: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""
        height, width = self.header.pixels.shape[:2]
        return height, width

    @property
    def has_alpha(self) -> bool:
        """Is something in it said to be no part of it?"""
        return self.header.alpha is not None

    @property
    def noise(self) -> float:
        """The error of dark pixels."""
        header = self.header
        noise = noise_near_black(
            lambda some: header.pixels[some], self.size, header.bits, header.encoding
        )
        return noise / self.exposure

    def alpha(self, rows: slice) -> Image | None:
        """The alpha of some rows alone."""
        return None if self.header.alpha is None else self.header.alpha[rows]

    def rows(self, rows: slice) -> Photo:
        """Some rows as a photo of their own."""
        return Photo(self.header.pixels[rows], self.alpha(rows))

    def planes(self, rows: slice) -> NDArray[np.float32]:
        """Their colours, channel by channel, [3,h,W]."""
        planes: NDArray[np.float32] = planes_of(self.header.pixels[rows])
        return planes / np.float32(self.exposure)


@torch.inference_mode()
def in_strips(decomposer: Decomposer, photo: Photo, runtime: Runtime, kinds: Kinds) -> Part:
    """A photo taken apart with no more than some of its rows on the device at a time.
    LargerLayerError as in :func:`~intrinsic_cli.kit.inference.strips.make_strips`."""
    source = PhotoInMemory(photo, exposure_of(photo.pixels))
    small, part = make_strips(decomposer, source, runtime, kinds)
    strips = small.widened()
    layers: dict[str, Image] = {}
    for rows in bands(*source.size):
        made = strips.rows(to_tensor(source.planes(rows), runtime.device), rows)
        for name, layer in made.items():
            image = to_image(layer)
            if name not in layers:
                shape = (*source.size, image.shape[2])
                layers[name] = np.empty(shape, np.float32)
            layers[name][rows] = image
    return replace(part, layers=layers)
