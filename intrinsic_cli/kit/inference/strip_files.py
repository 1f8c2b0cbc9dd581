"""Layers made in strips → PNG, JPEG, TIFF and EXR files, never whole in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.encodings import SAMPLE, encoding_of
from intrinsic_cli.kit.files.formats import MULTILAYER
from intrinsic_cli.kit.files.jpeg_rows import SQUARE, decode, encode
from intrinsic_cli.kit.files.layers import (
    MEASURED,
    PARTS,
    RebuildError,
    StoredLayer,
    every,
    row_step,
)
from intrinsic_cli.kit.inference.coded_layers import coded_layers
from intrinsic_cli.kit.inference.float_layers import FloatLayers
from intrinsic_cli.kit.inference.strip_writers import Layers, open_strips

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.exif import Exif
    from intrinsic_cli.kit.files.preview import Preview
    from intrinsic_cli.kit.inference.rows import Rows
    from intrinsic_cli.kit.inference.strips import Strips

#: Bits of each number in files of those formats whose layers are made in strips: codes, and floats.
BITS = {"png": 8, "png16": 16, "jpg": 8}
FLOAT_BITS = {"tiff": 32, "exr": 16, "exr32": 32, **MULTILAYER}
#: All of these formats.
FORMATS = (*BITS, *FLOAT_BITS)

Kinds = Mapping[str, Kind]
Codes = NDArray[Any]


def write_strips(
    photo: Rows,
    strips: Strips,
    kinds: Kinds,
    places: Mapping[str, Path],
    form: str,
    exif: Exif | None = None,
    preview: Preview | None = None,
) -> tuple[dict[str, StoredLayer], float | None]:
    """Write the layers ``kinds`` as ``form`` (one of :data:`FORMATS`) to ``places`` (one, where one
    file holds all layers), with ``exif`` as in
    :func:`~intrinsic_cli.kit.files.layers.write_layer`; ``preview`` sees all rows of photo and
    layers. How each layer is stored, without its codes; and the RMSE with which they rebuild the
    photo, None where they cannot. DataError where a picture is too large for the format;
    OSError."""
    layers = _layers(photo, strips, kinds, form)
    error = _Error(layers, form)
    with open_strips(layers, places, form, exif) as files:
        for rows, codes in layers.bands():
            files.write(rows, codes)
            error.add(rows, codes)
            if preview is not None:
                _show(preview, layers, rows, codes)
        files.close()
    return _without_codes(layers), error.sum.value


def _layers(photo: Rows, strips: Strips, kinds: Kinds, form: str) -> Layers:
    """As the numbers that files of the format hold."""
    if form in FLOAT_BITS:
        return FloatLayers(photo, strips, kinds, FLOAT_BITS[form])
    return coded_layers(photo, strips, kinds, BITS[form])


def _show(preview: Preview, layers: Layers, rows: slice, codes: Mapping[str, Codes]) -> None:
    """A band, [n,W,C] of each layer."""
    preview.add_photo(rows, layers.photo.rows(rows).pixels)
    for name, part in codes.items():
        preview.add_layer(name, layers.kinds[name], rows, _linear(layers, name, part))


def _linear(layers: Layers, name: str, codes: Codes) -> Image:
    """What a reader gets back."""
    stored = StoredLayer(codes, encoding_of(layers.kinds[name]).name, layers.scales[name])
    return stored.linear(slice(None))


def _without_codes(layers: Layers) -> dict[str, StoredLayer]:
    empty = np.empty((0, 0, 3), np.uint8)
    if isinstance(layers, FloatLayers):
        clipped = layers.clipped
        return {name: StoredLayer(empty, clipped=clipped.get(name, 0.0)) for name in layers.kinds}
    stored = {}
    for name, kind in layers.kinds.items():
        stored[name] = StoredLayer(empty, encoding_of(kind).name, layers.scales[name])
    return stored


class _Error:
    """The error with which the stored layers rebuild the photo, in some of its rows; of JPEG, in
    whole squares, as it is stored in such."""

    def __init__(self, layers: Layers, form: str) -> None:
        self.sum = RebuildError()
        self._layers = layers
        self._lossy = form == "jpg"
        # What loss does to a picture it does everywhere.
        self._step = row_step(*layers.photo.size, SAMPLE if self._lossy else MEASURED)

    def add(self, rows: slice, codes: Mapping[str, Codes]) -> None:
        """A band, [n,W,C] of each layer."""
        for some in self._chosen(rows):
            start = some.start - rows.start
            stop = some.stop - rows.start
            parts = {}
            for name in PARTS.intersection(codes):
                part = codes[name][start : stop : some.step]
                if self._lossy:
                    part = decode(encode(part), gray=part.shape[2] == 1)
                parts[name] = _linear(self._layers, name, part)
            pixels = self._layers.photo.rows(some).pixels
            self.sum.add(pixels, parts)

    def _chosen(self, rows: slice) -> Iterator[slice]:
        if not self._lossy:
            some = every(self._step, rows)
            if some.start < some.stop:
                yield some
            return
        for top in range(rows.start, rows.stop, SQUARE):
            if top // SQUARE % self._step == 0:
                yield slice(top, min(top + SQUARE, rows.stop))
