"""Layers as numbers of 16 bits, fine enough to become any codes of 8 bits by a table.

What scale the codes of a layer have is known when all of it was seen. Until then, what its scale is
at most is enough to keep it in these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.encodings import FAINTEST, SAMPLE, beyond_most, encoding_of
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.tables import looked_up
from intrinsic_cli.kit.light.colour import brightest
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

_TOP = (1 << 16) - 1


@dataclass(frozen=True, slots=True)
class FineCodes:
    """Numbers in the place of a layer of some ``kind``, whose scale is ``largest`` at most: its
    values, but of light their roots, which are as fine in the dark as codes of sRGB."""

    kind: Kind
    largest: float

    def of(self, values: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Any shape. What is beyond the scale becomes its end."""
        flat = np.ascontiguousarray(values).reshape(1, -1)
        largest, zero = self.largest, self._zero
        if self._roots:
            flat, largest = cv2.sqrt(flat), largest**0.5
        gain = (_TOP - zero) / largest
        numbers: NDArray[np.uint16]
        numbers = cv2.addWeighted(flat, gain, flat, 0.0, zero, dtype=cv2.CV_16U)
        return numbers.reshape(values.shape)

    def table(self, scale: float) -> NDArray[np.uint8]:
        """The code of 8 bits, by ``scale``, for each of the numbers."""
        shares = (np.arange(_TOP + 1) - self._zero) / (_TOP - self._zero)
        if self._roots:
            shares = shares**2
        values = np.asarray(shares * self.largest, np.float32)
        codes = encoding_of(self.kind).encode(values[None, :, None], 8, scale)
        return codes.reshape(-1)

    @property
    def _roots(self) -> bool:
        return self.kind.encoding == "srgb"

    @property
    def _zero(self) -> float:
        """The number of 0."""
        return _TOP / 2 if has_sign(self.kind) else 0.0


def has_sign(kind: Kind) -> bool:
    """May layers of the kind be negative?"""
    return kind.encoding in ("signed", "vector")


def largest_scale(kind: Kind, magnitudes: NDArray[np.float32]) -> float:
    """The scale that a layer has at most whose pixels, or enough of them, have these
    ``magnitudes``: each that of its largest channel."""
    least = FAINTEST if has_sign(kind) else 1.0
    return max(least, beyond_most(magnitudes)) if magnitudes.size else least


def scale_of(kind: Kind, largest: float, top: float) -> float:
    """The scale of a layer, from the ``largest`` that it may have and its largest magnitude."""
    alone = np.full((1, 1, 1), top, np.float32)
    return min(largest, encoding_of(kind).scale(alone))


def encode_finely(
    layer: Image, kind: Kind, scale: float | None = None
) -> tuple[NDArray[Any], float]:
    """The codes of 8 bits of a layer [H,W,C], and their ``scale``; None is the layer's own."""
    largest = 1.0 if scale is None else scale
    if scale is None and kind.scaled:
        largest = largest_scale(kind, _sample(layer, kind))
        scale = scale_of(kind, largest, extreme(layer, kind))
    scale = largest if scale is None else scale
    fine = FineCodes(kind, largest)
    table = fine.table(scale)
    codes = np.empty(layer.shape, np.uint8)
    for rows in bands(layer.shape[0], prod(layer.shape[1:])):
        codes[rows] = looked_up(fine.of(layer[rows]), table)
    return codes, scale


def _sample(layer: Image, kind: Kind) -> Image:
    """The magnitudes of some :data:`SAMPLE` pixels."""
    step = max(1, int((layer.shape[0] * layer.shape[1] / SAMPLE) ** 0.5))
    some = layer[::step, ::step]
    return brightest(np.abs(some) if has_sign(kind) else some)


def extreme(values: NDArray[np.float32], kind: Kind) -> float:
    """The largest magnitude in a layer of any shape."""
    highest = float(values.max(initial=0.0))
    return max(highest, -float(values.min(initial=0.0))) if has_sign(kind) else highest
