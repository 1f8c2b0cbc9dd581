"""Layers made in strips → the numbers of float files, band by band: as they are, made once, since
no scale has to be known before the first is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.exr import clipped_share, stored_numbers
from intrinsic_cli.kit.files.planes import merged
from intrinsic_cli.kit.inference.device_layers import float_bands
from intrinsic_cli.kit.inference.paths import CPU_PATH
from intrinsic_cli.kit.inference.strip_layers import Band, made_bands

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.rows import Rows
    from intrinsic_cli.kit.inference.strips import Strips


@dataclass(frozen=True, slots=True)
class FloatLayers:
    """All layers of a photo as floats of ``bits`` (16 or 32). ``clipped`` is the share of each that
    was too large for them, once all bands were asked for."""

    photo: Rows
    strips: Strips
    kinds: Mapping[str, Kind]
    bits: int
    clipped: dict[str, float] = field(default_factory=dict)

    @property
    def scales(self) -> Mapping[str, float]:
        """Light itself has none."""
        return dict.fromkeys(self.kinds, 1.0)

    def bands(self) -> Iterator[Band]:
        """Rows, from the first to the last, and the numbers [n,W,C] of each layer there, as high as
        bands of codes are. IidError where the device has no memory for one."""
        height = self.photo.size[0]
        for rows, layers in self._made():
            share = (rows.stop - rows.start) / height
            numbers = {}
            for name, part in layers.items():
                numbers[name] = self._numbers(name, part, share)
            yield rows, numbers

    def _made(self) -> Iterator[Band]:
        if self.strips.path is not CPU_PATH:
            yield from float_bands(self.photo, self.strips, self.kinds)
            return
        for rows, layers in made_bands(self.photo, self.strips.widened(), self.kinds):
            yield rows, {name: merged(planes) for name, planes in layers.items()}

    def _numbers(self, name: str, part: NDArray[np.float32], share: float) -> NDArray[Any]:
        """A band that is such a ``share`` of the layer."""
        if self.bits == 16:
            clipped = self.clipped.get(name, 0.0)
            self.clipped[name] = clipped + clipped_share(part) * share
        return stored_numbers(part, self.bits)
