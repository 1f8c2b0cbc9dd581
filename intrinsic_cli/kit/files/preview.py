"""Previews: a photo and its layers side by side, made small while their rows pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.area_means import AreaMeans
from intrinsic_cli.kit.files.contact_sheet import Sheet, contact_sheet, fitting_size
from intrinsic_cli.kit.files.encodings import SAMPLE, for_display
from intrinsic_cli.kit.files.fine_codes import extreme, has_sign, largest_scale, scale_of
from intrinsic_cli.kit.files.layers import every
from intrinsic_cli.kit.light.colour import brightest

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Side of the pictures of a preview, pixels.
CELL = 512


class Preview:
    """A contact sheet of a photo of ``size`` (h, w) and its layers, these as bright as in integer
    files of their own."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._photo = _small(size)
        self._layers: dict[str, _SmallLayer] = {}

    def add_photo(self, rows: slice, pixels: Image) -> None:
        """Some ``rows`` [n,W,3] of the photo, linear; each comes once."""
        self._photo.add(rows, pixels)

    def add_layer(self, name: str, kind: Kind, rows: slice, values: Image) -> None:
        """Some ``rows`` [n,W,C] of a layer, linear; each comes once."""
        if name not in self._layers:
            self._layers[name] = _SmallLayer(kind, self.size)
        self._layers[name].add(rows, values)

    def sheet(self) -> Sheet:
        """The picture, when all rows have come."""
        shown = [layer.shown() for layer in self._layers.values()]
        return contact_sheet([[self._photo.picture, *shown]], ["photo", *self._layers], CELL)


class _SmallLayer:
    """A layer made small, and what tells how bright it is."""

    def __init__(self, kind: Kind, size: tuple[int, int]) -> None:
        self._kind = kind
        self._means = _small(size)
        self._step = max(1, size[0] * size[1] // SAMPLE)
        self._top = 0.0
        self._sample: list[Image] = []

    def add(self, rows: slice, values: Image) -> None:
        self._means.add(rows, values)
        if not self._kind.scaled:
            return
        self._top = max(self._top, extreme(values, self._kind))
        some = every(self._step, rows)
        part = values[some.start - rows.start : some.stop - rows.start : self._step]
        magnitudes = np.abs(part) if has_sign(self._kind) else part
        self._sample.append(brightest(magnitudes).flatten())

    def shown(self) -> Image:
        """As light to look at."""
        scale = 1.0
        if self._kind.scaled:
            largest = largest_scale(self._kind, np.concatenate(self._sample))
            scale = scale_of(self._kind, largest, self._top)
        return for_display(self._means.picture, self._kind, scale)


def _small(size: tuple[int, int]) -> AreaMeans:
    """What makes a picture of ``size`` fit into a cell; one that does already stays as it is."""
    if max(size) <= CELL:
        return AreaMeans(size, size)
    return AreaMeans(size, fitting_size(size, CELL))
