"""Layers made in strips → the codes of integer files, band by band.

How bright a layer is, and with that the scale of its codes, is known when all of it was made. What
that scale is at most, some rows tell beforehand. By it layers are kept as 16 bits until all is
known, and a table leads from these to codes of 8 bits; layers that are too large to be kept, or
wanted with 16 bits, are made a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.encodings import SAMPLE, encoding_of
from intrinsic_cli.kit.files.fine_codes import FineCodes, extreme, has_sign, largest_scale, scale_of
from intrinsic_cli.kit.files.jpeg_rows import SQUARE
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.files.planes import merged
from intrinsic_cli.kit.files.tables import looked_up
from intrinsic_cli.kit.inference.prepare import to_tensor
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.rows import Rows
    from intrinsic_cli.kit.inference.strips import Strips

#: Bytes of layers that are kept at most: 28 megapixels of two layers in three channels.
MOST_KEPT = 320 << 20
#: Bands are so much lower than elsewhere: what they need comes from memory already at hand.
_FINER = 2
_BYTES = 2  # of a number that is kept

Kinds = Mapping[str, Kind]
Planes = NDArray[np.float32]
Codes = NDArray[Any]
Layers = dict[str, Planes]
#: Rows, and what there is of each layer.
Band = tuple[slice, dict[str, Codes]]


@dataclass(frozen=True, slots=True)
class StripLayers:
    """All layers of a photo as codes of ``bits``, by their ``scales``. ``fine`` are the numbers of
    8 bits on their way; those of all bands are ``kept``, or there are none and they are made
    again."""

    photo: PhotoRows
    strips: Strips
    kinds: Kinds
    bits: int
    scales: Mapping[str, float]
    fine: Mapping[str, FineCodes]
    kept: list[Band]

    def bands(self) -> Iterator[Band]:
        """Rows, from the first to the last, and the codes [n,W,C] of each layer there. All bands
        but the last have as many rows, a multiple of a JPEG's squares. To be asked once: what was
        kept is let go with its band."""
        tables = {name: fine.table(self.scales[name]) for name, fine in self.fine.items()}
        numbered = self._made_again()
        if self.kept:
            numbered = self._let_go()
        for rows, numbers in numbered:
            codes = {}
            for name, planes in numbers.items():
                known = looked_up(planes, tables[name]) if self.fine else planes
                codes[name] = merged(known)
            yield rows, codes

    def _let_go(self) -> Iterator[Band]:
        """What was kept, no longer than it is needed."""
        self.kept.reverse()
        while self.kept:
            yield self.kept.pop()

    def _made_again(self) -> Iterator[Band]:
        """As they would have been kept; what has 16 bits, as it will be."""
        for rows, layers in made_bands(self.photo, self.strips, self.kinds):
            yield rows, {name: self._coded(name, planes) for name, planes in layers.items()}

    def _coded(self, name: str, planes: Planes) -> Codes:
        if self.fine:
            return self.fine[name].of(planes)
        return encoding_of(self.kinds[name]).encode(planes, self.bits, self.scales[name])


def strip_layers(photo: PhotoRows, strips: Strips, kinds: Kinds, bits: int) -> StripLayers:
    """The layers ``kinds`` of a photo, and the scales of their codes: 1 where a kind has none."""
    strips = strips.widened()
    scaled = {name: kind for name, kind in kinds.items() if kind.scaled}
    scales = dict.fromkeys(kinds, 1.0)
    fine: dict[str, FineCodes] = {}
    kept: list[Band] = []
    if scaled:
        scales |= _largest_scales(photo, strips, scaled)
    if bits == 8:
        fine = {name: FineCodes(kind, scales[name]) for name, kind in kinds.items()}
    if scaled:
        keeps = fine if _there_is_room(photo, strips, kinds) else {}
        kept, extremes = _seen(photo, strips, kinds, keeps)
        for name, kind in scaled.items():
            scales[name] = scale_of(kind, scales[name], extremes[name])
    return StripLayers(photo, strips, kinds, bits, scales, fine, kept)


def _seen(
    photo: PhotoRows, strips: Strips, kinds: Kinds, keeps: Mapping[str, FineCodes]
) -> tuple[list[Band], dict[str, float]]:
    """What is to be kept of the layers, and the largest magnitude of each."""
    kept: list[Band] = []
    extremes = dict.fromkeys(kinds, 0.0)
    for rows, layers in made_bands(photo, strips, kinds):
        for name, planes in layers.items():
            extremes[name] = max(extremes[name], extreme(planes, kinds[name]))
        if keeps:
            kept.append((rows, {name: keeps[name].of(layers[name]) for name in kinds}))
    return kept, extremes


def _there_is_room(photo: PhotoRows, strips: Strips, kinds: Kinds) -> bool:
    """Can the layers be kept?"""
    height, width = photo.size
    first = [slice(0, 1)]
    (_, layers), *_ = _made(photo, strips, kinds, first)
    channels = sum(len(planes) for planes in layers.values())
    taken: int = channels * height * width * _BYTES
    return taken <= MOST_KEPT


def strip_bands(size: tuple[int, int]) -> Iterator[slice]:
    """The rows of a photo of ``size`` (h, w) whose codes go to files together."""
    height, width = size
    return bands(height, _FINER * width, SQUARE)


def made_bands(photo: Rows, strips: Strips, kinds: Kinds) -> Iterator[tuple[slice, Layers]]:
    """The :func:`strip_bands` of a photo, and the layers there, [C,n,W]."""
    return _made(photo, strips, kinds, strip_bands(photo.size))


def _made(
    photo: Rows, strips: Strips, kinds: Kinds, where: Iterable[slice]
) -> Iterator[tuple[slice, Layers]]:
    """Rows, and the layers there, [C,n,W]."""
    for rows in where:
        shown = to_tensor(photo.planes(rows), strips.device)
        with torch.inference_mode():
            made = strips.rows(shown, rows)
        yield rows, {name: made[name][0].cpu().numpy() for name in kinds}


def _largest_scales(photo: PhotoRows, strips: Strips, kinds: Kinds) -> dict[str, float]:
    """What the scales of layers are at most."""
    samples: dict[str, list[Planes]] = {name: [] for name in kinds}
    for _, layers in _made(photo, strips, kinds, _few_rows(photo.size)):
        for name, planes in layers.items():
            magnitudes = _magnitudes(planes, kinds[name])
            samples[name].append(magnitudes)
    scales = {}
    for name, parts in samples.items():
        scales[name] = largest_scale(kinds[name], np.concatenate(parts))
    return scales


def _few_rows(size: tuple[int, int]) -> Iterator[slice]:
    """Rows all over a photo of ``size`` (h, w) with some :data:`SAMPLE` pixels, each a like way
    below the one before."""
    height, width = size
    every = _every(size)
    count = -(-height // every)
    for some in bands(count, _FINER * width):
        start = some.start * every
        stop = some.stop * every
        yield slice(start, min(stop, height), every)


def sampled_rows(rows: slice, size: tuple[int, int]) -> NDArray[np.int64]:
    """Which of the ``rows`` of a photo of ``size`` tell what the scales of its layers are at most,
    counted from the first."""
    numbers = np.arange(rows.start, rows.stop)
    return np.flatnonzero(numbers % _every(size) == 0)


def _every(size: tuple[int, int]) -> int:
    """After so many rows comes another that is sampled."""
    return max(1, size[0] * size[1] // SAMPLE)


def _magnitudes(planes: Planes, kind: Kind) -> Planes:
    """How large the largest channel of each pixel is, of some rows [C,n,W]."""
    values = np.abs(planes) if has_sign(kind) else planes
    brightest: Planes = values.max(axis=0)
    return brightest.reshape(-1)
