"""Layers made in strips → PNG files, never whole in memory; or JPEG files, whole only as codes of 8
bits.

Two passes: the first finds how bright each layer is, for the scale of its codes; the second writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.containers import Marks
from intrinsic_cli.kit.files.encodings import SAMPLE, encoding_of
from intrinsic_cli.kit.files.layers import PARTS, StoredLayer, rebuild, write_lossy
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.files.photo_rows import PhotoRows
from intrinsic_cli.kit.files.png_rows import PngWriter
from intrinsic_cli.kit.inference.prepare import to_image, to_planes
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.exif import Exif
    from intrinsic_cli.kit.inference.strips import Strips

#: Formats of layers that are made in strips.
FORMATS = ("png", "png16", "jpg")

Kinds = Mapping[str, Kind]
Bands = Iterator[tuple[slice, Photo, dict[str, "Image"]]]


def write_strips(
    photo: PhotoRows,
    strips: Strips,
    kinds: Kinds,
    places: Mapping[str, Path],
    form: str,
    exif: Exif | None = None,
) -> tuple[dict[str, StoredLayer], float | None]:
    """Write the layers ``kinds`` as ``form`` (one of :data:`FORMATS`) to ``places``, with ``exif``
    as in :func:`~intrinsic_cli.kit.files.layers.write_layer`. How each is stored, without its
    codes; and the RMSE with which they rebuild the photo, None where they cannot. DataError where a
    picture is too large for the format; OSError."""
    scales = _scales(photo, strips, kinds)
    error = _Error()
    if form == "jpg":
        kept = _kept(photo, strips, kinds, scales)
        _write_jpegs(photo, kept, kinds, places, exif, error)
    else:
        bits = 16 if form == "png16" else 8
        _write_pngs(photo, strips, scales, kinds, places, bits, exif, error)
    return _without_codes(kinds, scales), error.value


def _write_pngs(
    photo: PhotoRows,
    strips: Strips,
    scales: Mapping[str, float],
    kinds: Kinds,
    places: Mapping[str, Path],
    bits: int,
    exif: Exif | None,
    error: _Error,
) -> None:
    """Write the layers row by row; sums up the ``error`` they make."""
    with ExitStack() as stack:
        writers = {}
        for name, kind in kinds.items():
            file = stack.enter_context(places[name].open("wb"))
            channels = strips.channels(name) + photo.has_alpha
            writers[name] = PngWriter(file, photo.size, channels, bits, _marks(kind, exif))
        _write_rows(_bands(photo, strips, kinds), writers, kinds, scales, error)
        _close(writers.values())


def _write_rows(
    parts: Bands,
    writers: Mapping[str, PngWriter],
    kinds: Kinds,
    scales: Mapping[str, float],
    error: _Error,
) -> None:
    """All rows of all layers, each with its ``scale``; sums up the ``error`` they make."""
    for _, part, layers in parts:
        stored = {}
        for name, layer in layers.items():
            made = _layer_file(layer, kinds[name], writers[name].bits, scales[name])
            writers[name].write(_with_alpha(made.codes, part.alpha))
            stored[name] = made
        error.add(part.pixels, stored)


def _kept(
    photo: PhotoRows, strips: Strips, kinds: Kinds, scales: Mapping[str, float]
) -> dict[str, StoredLayer]:
    """All layers as codes of 8 bits: encoders of JPEG want whole pictures."""
    kept = {}
    for name, kind in kinds.items():
        codes = np.empty((*photo.size, strips.channels(name)), np.uint8)
        kept[name] = StoredLayer(codes, encoding_of(kind).name, scales[name])
    for rows, _, layers in _bands(photo, strips, kinds):
        for name, layer in layers.items():
            kept[name].codes[rows] = _layer_file(layer, kinds[name], 8, scales[name]).codes
    return kept


def _write_jpegs(
    photo: PhotoRows,
    kept: dict[str, StoredLayer],
    kinds: Kinds,
    places: Mapping[str, Path],
    exif: Exif | None,
    error: _Error,
) -> None:
    """Write the layers, none of which is ``kept``; sums up the ``error`` of what loss has left."""
    left = {}
    for name, kind in kinds.items():
        left[name] = write_lossy(places[name], kept.pop(name), "jpg", None, _marks(kind, exif))
    for rows in bands(*photo.size):
        part = {name: replace(layer, codes=layer.codes[rows]) for name, layer in left.items()}
        error.add(photo.rows(rows).pixels, part)


def _marks(kind: Kind, exif: Exif | None) -> Marks:
    if exif is None:
        return Marks()
    return Marks(exif, encoding_of(kind).name == "srgb")


def _close(writers: Iterable[PngWriter]) -> None:
    for writer in writers:
        writer.close()


def _without_codes(kinds: Kinds, scales: Mapping[str, float]) -> dict[str, StoredLayer]:
    empty = np.empty((0, 0, 3), np.uint8)
    return {
        name: StoredLayer(empty, encoding_of(kinds[name]).name, scale)
        for name, scale in scales.items()
    }


def _layer_file(layer: Image, kind: Kind, bits: int, scale: float) -> StoredLayer:
    encoding = encoding_of(kind)
    return StoredLayer(encoding.encode(layer, bits, scale), encoding.name, scale)


def _bands(photo: PhotoRows, strips: Strips, kinds: Kinds) -> Bands:
    """Rows, and the photo and the layers there."""
    device = next(iter({**strips.maps, **strips.small}.values())).device
    for rows in bands(*photo.size):
        part = photo.rows(rows)
        with torch.inference_mode():
            made = strips.rows(to_planes(part.pixels, device), rows)
        yield rows, part, {name: to_image(made[name]) for name in kinds}


def _scales(photo: PhotoRows, strips: Strips, kinds: Kinds) -> dict[str, float]:
    """The scale of each layer's codes, 1 where its kind has none."""
    step = max(1, int((photo.size[0] * photo.size[1] / SAMPLE) ** 0.5))
    samples = {name: _Sample(step) for name, kind in kinds.items() if kind.scaled}
    scales = dict.fromkeys(kinds, 1.0)
    if not samples:
        return scales
    for rows, _, layers in _bands(photo, strips, kinds):
        for name, sample in samples.items():
            sample.add(layers[name], rows)
    for name, sample in samples.items():
        scales[name] = encoding_of(kinds[name]).scale(sample.picture())
    return scales


@dataclass(slots=True)
class _Sample:
    """Every ``step``-th pixel of a layer in either direction, and its largest magnitude."""

    step: int
    parts: list[Image] = field(default_factory=list)
    extreme: float = 0.0

    def add(self, layer: Image, rows: slice) -> None:
        """Some rows."""
        step = self.step
        first = -rows.start % step
        chosen = layer[first::step, ::step]
        flat = chosen.reshape(1, -1, layer.shape[2])
        self.parts.append(flat.copy())
        self.extreme = max(self.extreme, float(layer.max()), -float(layer.min()))

    def picture(self) -> Image:
        """A picture [1,N,C] whose brightness is that of the layer."""
        channels = self.parts[0].shape[2]
        brightest = np.full((1, 1, channels), self.extreme, np.float32)
        return np.concatenate([*self.parts, brightest], axis=1)


@dataclass(slots=True)
class _Error:
    """The error of the rebuilt photo, summed up."""

    total: float = 0.0
    count: int = 0
    known: bool = True

    def add(self, pixels: Image, stored: Mapping[str, StoredLayer]) -> None:
        """Some rows."""
        parts = {name: one.linear(slice(None)) for name, one in stored.items() if name in PARTS}
        rebuilt = rebuild(parts)
        if rebuilt is None:
            self.known = False
            return
        error = rebuilt - pixels
        self.total += float(np.vdot(error, error))
        self.count += pixels.size

    @property
    def value(self) -> float | None:
        """The root of its mean square."""
        return float((self.total / self.count) ** 0.5) if self.known else None


def _with_alpha(codes: NDArray[Any], alpha: Image | None) -> NDArray[Any]:
    """[h,W,C] with ``alpha`` as the last channel, in the type of the codes."""
    if alpha is None:
        return codes
    opaque = alpha * float(np.iinfo(codes.dtype).max) + 0.5
    return np.dstack([codes, opaque.astype(codes.dtype)])
