"""What was made of the regions of a photo, brought back into the photo.

Each region fades out towards its border; where regions overlap they are averaged by their weights.
Outside all regions stand the values that change nothing: the photo as reflectance, 1 as factor, 0
as summand, mask or depth, vectors towards the viewer. Layers that make the photo still do: where
the frame divides or subtracts, the albedo (or the transmission) is made anew from the photo's own
pixels, so that no detail is lost by cutting, turning and pasting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import Decomposer, Decomposition, Kind, Region
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS, kind_of
from intrinsic_cli.kit.inference.answer import Kinds, Part
from intrinsic_cli.kit.inference.full_size import residuals
from intrinsic_cli.kit.inference.region_records import notes_of, records_of
from intrinsic_cli.kit.inference.regions import Place, Points, is_whole, place_of, sample
from intrinsic_cli.kit.light.upsample import FLOOR

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.files.photo import Photo

Layers = dict[str, "Image"]
ALBEDO, SHADING = FACTORS
TRANSMISSION = SUMMANDS[0]
TINY = np.float32(1e-12)
ROUNDING = 1e-6  # pixels by which a position may be off after turning


def joined(
    decomposer: Decomposer,
    photo: Photo,
    regions: Sequence[Region],
    parts: Sequence[Part],
    kinds: Kinds,
) -> Decomposition:
    """One photo taken apart, from what was made of each of its ``regions``."""
    height, width = photo.pixels.shape[:2]
    if len(regions) == 1 and is_whole(regions[0], height, width):
        layers, alpha = dict(parts[0].layers), joined_alpha(photo, parts[0])
    else:
        layers, alpha = paste(photo, regions, parts, decomposer.frame.upsample, kinds)
    looked_at = [
        replace(region, facts={**region.facts, **part.facts})
        for region, part in zip(regions, parts, strict=True)
    ]
    return Decomposition(
        photo.pixels,
        layers,
        alpha,
        meshes=_lists([part.meshes for part in parts]),
        textures=_lists([part.textures for part in parts]),
        records=records_of(decomposer, regions, parts),
        animations=_lists([part.animations for part in parts]),
        regions=looked_at,
        notes=notes_of(regions, parts),
    )


def joined_alpha(photo: Photo, part: Part) -> Image | None:
    """Where the layers of a whole photo hold: in it, and where the method says so."""
    if photo.alpha is None or part.alpha is None:
        return photo.alpha if part.alpha is None else part.alpha
    return photo.alpha * part.alpha


def paste(
    photo: Photo, regions: Sequence[Region], parts: Sequence[Part], upsample: str, kinds: Kinds
) -> tuple[Layers, Image]:
    """Layers [H,W,C] of the whole photo, and its alpha [H,W]: 0 where no region is."""
    height, width = photo.pixels.shape[:2]
    patches = []
    for region, part in zip(regions, parts, strict=True):
        patches.append(_patch(region, part, height, width))
    blend = _Blend(patches, photo.pixels)
    layers = {}
    for name in parts[0].layers:
        pictures = [part.layers[name] for part in parts]
        layers[name] = blend.layer(name, kind_of(name, kinds), pictures)
    _rebuild(photo.pixels, layers, upsample, kinds)
    alpha = blend.cover if photo.alpha is None else blend.cover * photo.alpha
    return layers, alpha


@dataclass(frozen=True, slots=True)
class _Patch:
    """The pixels of the photo that a region covers, and how much it counts in each [h,w]."""

    place: Place
    rows: slice
    columns: slice
    weight: Image

    def read(self, layer: Image) -> Image:
        """The region's layer at these pixels, [h,w,C]."""
        x, y = _inside(self.place, self.rows, self.columns)
        if self.place.angle != 0:
            return sample(layer, x, y)
        rows = np.floor(y[:, 0]).astype(int)
        columns = np.floor(x[0]).astype(int)
        found: Image = layer[rows][:, columns]
        return found

    def turned(self, vectors: Image) -> Image:
        """Vectors [h,w,3] of the upright picture (x right, y up) as they stand in the photo."""
        if self.place.angle == 0:
            return vectors
        cos, sin = self.place.turn
        right, up, towards = np.moveaxis(vectors, 2, 0)
        x = cos * right - sin * up
        y = sin * right + cos * up
        return np.stack([x, y, towards], axis=2).astype(np.float32)


class _Blend:
    """Means of what regions say, by their weights, and the neutral value where none says anything.

    ``cover`` [H,W]: how much of a pixel any region covers. ``shares`` [h,w,1], one a patch: how
    much of a pixel is its own."""

    def __init__(self, patches: Sequence[_Patch], photo: Image) -> None:
        self.patches = patches
        self.photo = photo
        size = photo.shape[:2]
        total: Image = np.zeros(size, np.float32)
        uncovered: Image = np.ones(size, np.float32)
        for patch in patches:
            total[patch.rows, patch.columns] += patch.weight
            uncovered[patch.rows, patch.columns] *= 1 - patch.weight
        self.cover: Image = 1 - uncovered
        part_of_weight = self.cover / np.maximum(total, TINY)
        self.shares = []
        for patch in patches:
            share = patch.weight * part_of_weight[patch.rows, patch.columns]
            self.shares.append(share[..., None])

    def layer(self, name: str, kind: Kind, pictures: Sequence[Image]) -> Image:
        """One layer [H,W,C] of the photo from those of the regions."""
        empty = neutral(name, kind, self.photo, pictures[0].shape[2])
        mixed: Image = empty.copy()
        for patch, share, picture in zip(self.patches, self.shares, pictures, strict=True):
            window = (patch.rows, patch.columns)
            values = patch.read(picture)
            if kind.mirror == "vectors":
                values = patch.turned(values)
            added = mixed[window] + share * (values - empty[window])
            # Alone there, a region says exactly what it says.
            mixed[window] = np.where(share == 1, values, added)
        if kind.resize == "unit":
            for patch in self.patches:
                _normalise(mixed[patch.rows, patch.columns])
        return mixed


def _normalise(vectors: Image) -> None:
    """Bring vectors [h,w,C] to length 1, in place."""
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    vectors /= np.maximum(length, TINY)


def neutral(name: str, kind: Kind, photo: Image, channels: int) -> Image:
    """What a layer [H,W,C] of this kind is where nothing was looked at."""
    if kind.name in ("reflectance", "photo", "retouched") or name == TRANSMISSION:
        return photo if channels == 3 else photo.mean(axis=2, keepdims=True)
    shape = (*photo.shape[:2], channels)
    if kind.name == "vector":
        towards_viewer = np.array([0, 0, 1], np.float32)
        return np.broadcast_to(towards_viewer, shape)
    value = np.float32(1 if kind.name == "factor" else 0)
    return np.broadcast_to(value, shape)


def _rebuild(photo: Image, layers: Layers, upsample: str, kinds: Kinds) -> None:
    """Give the albedo (or the transmission) every detail of the photo that the other layers do not
    explain."""
    if upsample == "divide" and SHADING in layers and ALBEDO in layers:
        _divide(photo, layers, kinds)
    if upsample == "subtract" and TRANSMISSION in layers:
        _subtract(photo, layers)


def _divide(photo: Image, layers: Layers, kinds: Kinds) -> None:
    diffuse: Image = photo
    for name in residuals(layers, kinds):
        # A turned residual is a mean of neighbours, and may be more than the photo has here.
        layers[name] = np.minimum(layers[name], diffuse)
        diffuse = diffuse - layers[name]
    shading: Image = np.maximum(layers[SHADING], np.float32(FLOOR))
    layers[SHADING] = shading
    layers[ALBEDO] = diffuse / shading


def _subtract(photo: Image, layers: Layers) -> None:
    """Where the others exceed the photo they are scaled down, each by the same factor."""
    others = [name for name in SUMMANDS[1:] if name in layers]
    total: Image = np.zeros_like(photo)
    for name in others:
        total += layers[name]
    gain: Image = np.minimum(np.float32(1), photo / np.maximum(total, TINY))
    for name in others:
        layers[name] = layers[name] * gain
    layers[TRANSMISSION] = np.maximum(photo - total * gain, np.float32(0))


def _patch(region: Region, part: Part, height: int, width: int) -> _Patch:
    place = place_of(region)
    reach_x, reach_y = place.reach
    rows = _span(place.y - reach_y, place.y + reach_y, height)
    columns = _span(place.x - reach_x, place.x + reach_x, width)
    weight = _weight(region, place, rows, columns, (height, width))
    patch = _Patch(place, rows, columns, weight)
    if part.alpha is None:
        return patch
    holds = patch.read(part.alpha[..., None])[..., 0]
    return replace(patch, weight=weight * holds)


def _span(first: float, last: float, length: int) -> slice:
    """The pixels between two positions that the photo has."""
    start = max(math.floor(first + ROUNDING), 0)
    stop = min(math.ceil(last - ROUNDING), length)
    return slice(start, max(stop, start))


def _weight(
    region: Region, place: Place, rows: slice, columns: slice, size: tuple[int, int]
) -> Image:
    """How much the region counts at each pixel [h,w]: 1 inside, 0 outside, and rising over the
    feathered border."""
    distance = _distance(place, rows, columns, size)
    fade = region.feather * min(place.width, place.height)
    if fade <= 0:
        return (distance >= 0).astype(np.float32)
    rise = np.clip(distance / fade, 0, 1)
    smooth = rise * rise * (3 - 2 * rise)
    return smooth.astype(np.float32)


def _distance(place: Place, rows: slice, columns: slice, size: tuple[int, int]) -> Points:
    """How far each pixel [h,w] is from the region's nearest side, below 0 outside. A side that is
    the photo's own border has nothing beyond it to fade into, and does not count."""
    x, y = _inside(place, rows, columns)
    sides = [x, place.width - x, y, place.height - y]
    if place.angle == 0:
        left, top = place.corner
        at_border = [
            left <= 0,
            left + place.width >= size[1],
            top <= 0,
            top + place.height >= size[0],
        ]
        sides = [side for side, ends in zip(sides, at_border, strict=True) if not ends]
    nearest: Points = np.full(x.shape, np.inf)
    for side in sides:
        np.minimum(nearest, side, out=nearest)
    return nearest


def _inside(place: Place, rows: slice, columns: slice) -> tuple[Points, Points]:
    """The middles of pixels of the photo, as (x, y) in the upright picture of a region."""
    y, x = np.mgrid[rows, columns] + 0.5
    return place.in_picture(x, y)


def _lists(named: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """By name what each region gave, in their order."""
    return {name: [one[name] for one in named] for name in named[0]}
