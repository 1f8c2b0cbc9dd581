"""Layers made in strips → the codes of integer files, on a device: what
:mod:`~intrinsic_cli.kit.inference.strip_layers` does on the CPU, with larger strips. Only codes
travel back.

A device makes a layer faster than it is kept: where the scale of the codes follows from the whole
layer, all strips are made once to know it and once more as codes; a photo of one strip, once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.fine_codes import largest_scale, scale_of
from intrinsic_cli.kit.inference.device_codes import (
    common_magnitude,
    encoded,
    magnitude,
    magnitudes,
)
from intrinsic_cli.kit.inference.prepare import to_tensor
from intrinsic_cli.kit.inference.room import give_back, is_out_of_memory, out_of_memory
from intrinsic_cli.kit.inference.side_stream import beside_network, on_host
from intrinsic_cli.kit.inference.strip_layers import Band, sampled_rows, strip_bands

if TYPE_CHECKING:
    from intrinsic_cli.kit.inference.rows import Rows
    from intrinsic_cli.kit.inference.strips import Strips

Kinds = Mapping[str, Kind]
Layers = dict[str, Tensor]
Codes = NDArray[Any]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class DeviceLayers:
    """All layers of a photo as codes of ``bits``, by their ``scales``; as
    :class:`~intrinsic_cli.kit.inference.strip_layers.StripLayers`. ``kept`` are the codes of a
    photo of one strip."""

    photo: Rows
    strips: Strips
    kinds: Kinds
    bits: int
    scales: Mapping[str, float]
    kept: Mapping[str, Codes] | None = None

    def bands(self) -> Iterator[Band]:
        """Rows, from the first to the last, and the codes [n,W,C] of each layer there: bands as
        high as those of the CPU, so that files are made of the same pieces. IidError where the
        device has no memory for one."""
        if self.kept is not None:
            cuts = list(strip_bands(self.photo.size))
            yield from _cut(cuts, self.kept)
            return

        def codes(layers: Layers, rows: slice) -> dict[str, Codes]:
            return _codes(layers, self.kinds, self.bits, self.scales)

        for cuts, made in _each_strip(self.photo, self.strips, codes):
            yield from _cut(cuts, made)


def device_layers(photo: Rows, strips: Strips, kinds: Kinds, bits: int) -> DeviceLayers:
    """The layers ``kinds`` of a photo, and the scales of their codes: 1 where a kind has none.
    IidError where the device has no memory for a band of them."""
    look = _Look(photo.size, kinds, bits)
    if look.scaled:
        for _ in _each_strip(photo, strips, look):
            pass
    if look.scaled and look.kept is None:
        with beside_network(strips.device), torch.inference_mode():
            look.settle()
    return DeviceLayers(photo, strips, kinds, bits, look.scales, look.kept)


def float_bands(photo: Rows, strips: Strips, kinds: Kinds) -> Iterator[Band]:
    """The layers as they are, [n,W,C] of each band. IidError where the device has no memory for
    one."""

    def floats(layers: Layers, rows: slice) -> dict[str, Codes]:
        there = {name: layers[name][0].permute(1, 2, 0).contiguous() for name in kinds}
        return dict(on_host(there))

    for cuts, made in _each_strip(photo, strips, floats):
        yield from _cut(cuts, made)


class _Look:
    """Looks at the layers of each strip of a photo of ``size``, of which the ``scales`` of their
    codes follow; where the first is all there is, its codes are ``kept``."""

    def __init__(self, size: tuple[int, int], kinds: Kinds, bits: int) -> None:
        self.scales = dict.fromkeys(kinds, 1.0)
        self.scaled = {name: kind for name, kind in kinds.items() if kind.scaled}
        self.kept: dict[str, Codes] | None = None
        self._size = size
        self._kinds = kinds
        self._bits = bits
        self._seen: list[_Seen] = []

    def __call__(self, layers: Layers, rows: slice) -> bool:
        """The layers of some ``rows``."""
        self._seen.append(_seen(layers, rows, self.scaled, self._size))
        if rows == slice(0, self._size[0]):
            self.settle()
            self.kept = _codes(layers, self._kinds, self._bits, self.scales)
        return True

    def settle(self) -> None:
        """All has been seen."""
        self.scales |= _scales(self._seen, self.scaled)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Of each layer of a strip, the largest magnitude, and those of some pixels."""

    extremes: Mapping[str, float]
    samples: Mapping[str, Tensor]


def _seen(layers: Layers, rows: slice, kinds: Kinds, size: tuple[int, int]) -> _Seen:
    some = torch.from_numpy(sampled_rows(rows, size))
    extremes, samples = {}, {}
    for name, kind in kinds.items():
        layer = layers[name]
        extremes[name] = float(magnitude(layer, kind))
        sample = layer.index_select(2, some.to(layer.device))
        samples[name] = magnitudes(sample, kind)
    return _Seen(extremes, samples)


def _scales(seen: Sequence[_Seen], kinds: Kinds) -> dict[str, float]:
    """The scales of the codes of layers, as :func:`~intrinsic_cli.kit.files.fine_codes.scale_of`
    has them."""
    scales = {}
    for name, kind in kinds.items():
        sample = torch.cat([one.samples[name] for one in seen])
        common = np.full(1, common_magnitude(sample), np.float32)
        top = max(0.0, *(one.extremes[name] for one in seen))
        scales[name] = scale_of(kind, largest_scale(kind, common), top)
    return scales


def _codes(
    layers: Layers, kinds: Kinds, bits: int, scales: Mapping[str, float]
) -> dict[str, Codes]:
    """In the memory of the CPU, [n,W,C]."""
    there = {}
    for name, kind in kinds.items():
        there[name] = encoded(layers[name], kind, bits, scales[name])
    dtype = np.uint8 if bits == 8 else np.uint16
    return {name: codes.view(dtype) for name, codes in on_host(there).items()}


def _cut(cuts: Sequence[slice], codes: Mapping[str, Codes]) -> Iterator[Band]:
    """The codes of a strip, band by band."""
    first = cuts[0].start
    for rows in cuts:
        start = rows.start - first
        stop = rows.stop - first
        yield rows, {name: part[start:stop] for name, part in codes.items()}


def _each_strip(
    photo: Rows, strips: Strips, make: Callable[[Layers, slice], Made]
) -> Iterator[tuple[list[slice], Made]]:
    """The bands of each strip of a photo, and what ``make`` makes of its layers and rows; strips
    become smaller where memory runs out."""
    room, width = strips.room, photo.size[1]
    left = deque(strip_bands(photo.size))
    while left:
        cuts = _next_strip(left, room.strip // width)
        rows = slice(cuts[0].start, cuts[-1].stop)
        made = _try_strip(photo, strips, rows, make)
        if made is not None:
            yield cuts, made
            continue
        give_back(strips.device)
        if len(cuts) == 1:
            raise out_of_memory(strips.device)
        room.narrower((rows.stop - rows.start) * width, strips.note)
        left.extendleft(reversed(cuts))


def _next_strip(left: deque[slice], height: int) -> list[slice]:
    """Bands taken from ``left``, one at least, that together have no more rows."""
    cuts = [left.popleft()]
    while left and left[0].stop - cuts[0].start <= height:
        cuts.append(left.popleft())
    return cuts


def _try_strip(
    photo: Rows, strips: Strips, rows: slice, make: Callable[[Layers, slice], Made]
) -> Made | None:
    """None where memory runs out."""
    try:
        with beside_network(strips.device), torch.inference_mode():
            shown = to_tensor(photo.planes(rows), strips.device)
            return make(strips.rows(shown, rows), rows)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
