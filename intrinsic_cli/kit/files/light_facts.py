"""What is told of all pixels of a photo together, found while its rows pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.layers import every
from intrinsic_cli.kit.files.photo import Photo, brightest_finite
from intrinsic_cli.kit.light.beyond_white import exposure_of_sample, sample_step
from intrinsic_cli.kit.light.noise import noise_near_black, noise_rows

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


class LightFacts:
    """Of a photo of ``size`` (h, w) that is floats, when all of its rows have come. ``brightest``
    is the largest of its finite numbers; ``is_infinite``: others are infinite."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.brightest = 0.0
        self.is_infinite = False
        self._size = size
        self._step = sample_step(*size)
        self._top = 0.0
        self._outside = 0.0
        self._repaired = 0
        self._sample: list[Image] = []
        #: Rows that tell of noise.
        self._dark: dict[int, Image] = {}

    def add_numbers(self, colours: NDArray[Any]) -> None:
        """The next rows [n,W,C] as they are in the file."""
        top = float(colours.max(initial=0.0))
        if not np.isfinite(top):
            self.is_infinite |= bool(np.isposinf(colours).any())
            top = brightest_finite(colours)
        self.brightest = max(self.brightest, top)

    def add_light(self, rows: slice, photo: Photo, repaired: int) -> None:
        """The same ``rows`` as light, of which so many pixels had to be repaired."""
        pixels = photo.pixels
        self._top = max(self._top, float(pixels.max(initial=0.0)))
        self._outside += photo.outside * (rows.stop - rows.start)
        self._repaired += repaired
        first = every(self._step, rows).start - rows.start
        chosen = pixels[first :: self._step, :: self._step]
        self._sample.append(chosen.copy())
        for number in noise_rows(self._size[0]):
            if rows.start <= number < rows.stop:
                place = number - rows.start
                row = pixels[place : place + 1]
                self._dark[number] = row.copy()

    @property
    def repaired(self) -> float:
        """The share of all pixels that had to be."""
        return self._repaired / (self._size[0] * self._size[1])

    @property
    def is_beyond_white(self) -> bool:
        """Is some of it brighter than white?"""
        return self._top > 1

    @property
    def outside(self) -> float:
        """The share of all pixels that lay outside of sRGB."""
        return self._outside / self._size[0]

    @property
    def exposure(self) -> float:
        """As of :func:`~intrinsic_cli.kit.light.beyond_white.exposure_of`."""
        return exposure_of_sample(np.concatenate(self._sample)) if self.is_beyond_white else 1.0

    def noise(self, bits: int, encoding: str) -> float:
        """As of :func:`~intrinsic_cli.kit.light.noise.noise_near_black`."""
        return noise_near_black(lambda row: self._dark[row.start], self._size, bits, encoding)
