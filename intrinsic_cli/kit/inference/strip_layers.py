"""Layers made in strips → the codes of integer files, band by band.

How bright a layer is, and with that the scale of its codes, is known when all of it was made. Until
then layers are kept; where there is no room for them, they are made a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.encodings import SAMPLE, encoding_of
from intrinsic_cli.kit.files.jpeg_rows import SQUARE
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.inference.upsample_cpu import planes_of
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.inference.strips import Strips

#: Bytes of layers that are kept at most: 28 megapixels of two layers in three channels.
MOST_KEPT = 640 << 20
#: Bands are so much lower than elsewhere: what they need comes from memory already at hand.
_FINER = 4

Kinds = Mapping[str, Kind]
Planes = NDArray[np.float32]
Codes = NDArray[Any]


@dataclass(frozen=True, slots=True)
class StripLayers:
    """All layers of a photo as codes of ``bits``, by their ``scales``. ``kept`` [C,H,W] is empty
    where there was no room."""

    photo: PhotoRows
    strips: Strips
    kinds: Kinds
    bits: int
    scales: Mapping[str, float]
    kept: Mapping[str, Planes]

    def bands(self) -> Iterator[tuple[slice, dict[str, Codes]]]:
        """Rows, from the first to the last, and the codes [n,W,C] of each layer there. All bands
        but the last have as many rows, a multiple of a JPEG's squares."""
        source = self._kept() if self.kept else self._made_again()
        for rows, layers in source:
            codes = {}
            for name, planes in layers.items():
                encode = encoding_of(self.kinds[name]).encode
                codes[name] = _merged(encode(planes, self.bits, self.scales[name]))
            yield rows, codes

    def _kept(self) -> Iterator[tuple[slice, dict[str, Planes]]]:
        """The layers [C,n,W], as they were kept."""
        for rows in _bands(self.photo):
            yield rows, {name: kept[:, rows] for name, kept in self.kept.items()}

    def _made_again(self) -> Iterator[tuple[slice, dict[str, Planes]]]:
        """The layers [C,n,W], as they would have been kept."""
        for rows, layers in _made(self.photo, self.strips, self.kinds):
            yield rows, {name: _planes(layer) for name, layer in layers.items()}


def strip_layers(photo: PhotoRows, strips: Strips, kinds: Kinds, bits: int) -> StripLayers:
    """The layers ``kinds`` of a photo, and the scales of their codes: 1 where a kind has none."""
    scales = dict.fromkeys(kinds, 1.0)
    samples = _samples(photo, kinds)
    if not samples:
        return StripLayers(photo, strips, kinds, bits, scales, {})
    kept = _room(photo, strips, kinds)
    for rows, layers in _made(photo, strips, kinds):
        for name, sample in samples.items():
            sample.add(layers[name], rows)
        for name, place in kept.items():
            place[:, rows] = _planes(layers[name])
    for name, sample in samples.items():
        picture = sample.picture()
        scales[name] = encoding_of(kinds[name]).scale(picture)
    return StripLayers(photo, strips, kinds, bits, scales, kept)


def _samples(photo: PhotoRows, kinds: Kinds) -> dict[str, _Sample]:
    """Room for what tells the scales of those layers that have one."""
    height, width = photo.size
    step = max(1, int((height * width / SAMPLE) ** 0.5))
    return {name: _Sample(step) for name, kind in kinds.items() if kind.scaled}


def _room(photo: PhotoRows, strips: Strips, kinds: Kinds) -> dict[str, Planes]:
    """Room for the layers, none where they are too large."""
    height, width = photo.size
    dtype = np.dtype(np.float32)
    channels = {name: strips.channels(name) for name in kinds}
    values = sum(channels.values()) * height * width
    if values * dtype.itemsize > MOST_KEPT:
        return {}
    kept = {}
    for name, count in channels.items():
        kept[name] = np.empty((count, height, width), dtype)
    return kept


def _bands(photo: PhotoRows) -> Iterator[slice]:
    height, width = photo.size
    return bands(height, _FINER * width, SQUARE)


def _made(
    photo: PhotoRows, strips: Strips, kinds: Kinds
) -> Iterator[tuple[slice, dict[str, Tensor]]]:
    """Rows, and the layers there, [1,C,n,W]."""
    device = next(iter({**strips.maps, **strips.small}.values())).device
    for rows in _bands(photo):
        with torch.inference_mode():
            made = strips.rows(planes_of(photo.rows(rows).pixels, device), rows)
        yield rows, {name: made[name] for name in kinds}


def _planes(layer: Tensor) -> Planes:
    """[1,C,n,W] → [C,n,W]."""
    planes: Planes = layer[0].cpu().numpy()
    return planes


def _merged(planes: Codes) -> Codes:
    """[C,n,W] → [n,W,C]."""
    channels, height, width = planes.shape
    merged: Codes = cv2.merge(list(planes))
    return merged.reshape(height, width, channels)


@dataclass(slots=True)
class _Sample:
    """Every ``step``-th pixel of a layer in either direction, and its largest magnitude."""

    step: int
    parts: list[Image] = field(default_factory=list)
    extreme: float = 0.0

    def add(self, layer: Tensor, rows: slice) -> None:
        """Some rows, [1,C,n,W]."""
        step = self.step
        first = -rows.start % step
        chosen = layer[0, :, first::step, ::step].flatten(1)
        # A copy: a view would keep all of the band.
        self.parts.append(np.array(chosen.T.cpu().numpy()))
        lowest, highest = torch.aminmax(layer)
        self.extreme = max(self.extreme, float(highest), -float(lowest))

    def picture(self) -> Image:
        """A picture [1,N,C] whose brightness is that of the layer."""
        channels = self.parts[0].shape[1]
        brightest = np.full((1, channels), self.extreme, np.float32)
        return np.concatenate([*self.parts, brightest])[None]
