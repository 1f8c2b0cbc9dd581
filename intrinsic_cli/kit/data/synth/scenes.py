"""Rendered scenes mixed anew for every sample: paint, lights, colours and a camera.

A view holds several albedo sets A_j and one-light shadings S_k with highlights R_k, so that any
``sum_k w_k c_k (A_j S_k + R_k)`` is a valid photo of it with exact truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.synth.camera import Camera, brightest, random_camera
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING, Shards, View
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

MINIATURE = Path(__file__).parent / "miniature"
_FLOOR = 2e-3  # shading below this part of the photo's white is too dark to learn from


@dataclass(slots=True)
class Sample:
    """A photo and its truth, [H,W,3] linear; ``mask`` [H,W] is True where the truth holds."""

    photo: Image
    albedo: Image
    shading: Image
    normals: Image
    mask: Mask


class Synth(Source):
    """Shards below ``folder``/train and ``folder``/val as a
    :class:`~intrinsic_cli.api.data.Source`."""

    name = "synth"
    protocol = "synth"
    offers = frozenset({"photo", "albedo", "shading", "normals", "mask"})

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1)) -> None:
        self._folder, self._part = folder, part
        self._shards: dict[str, Shards] = {}

    def part(self, index: int, count: int) -> Synth:
        """Every ``count``-th view, from the ``index``-th on."""
        first, step = self._part
        return Synth(self._folder, (first + step * index, step * count))

    def _open(self, split: Split) -> Shards:
        if split not in self._shards:
            self._shards[split] = Shards(self._folder / split, self._part)
        return self._shards[split]

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation batches are whole views under a fixed light,
        resized to ``crop``."""
        shards = self._open(split)
        if split == "val":
            for first in range(0, len(shards), size):
                yield _collate(
                    [
                        still(shards[i], i, crop)
                        for i in range(first, min(first + size, len(shards)))
                    ]
                )
            return
        while True:
            yield _collate([_draw(shards, seed, start * size + i, crop) for i in range(size)])
            start += 1

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Whole views, each under one fixed random light and camera."""
        shards = self._open(split)
        return LazyCases(range(len(shards)), lambda i: _as_case(shards[i], i))

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many views the split has."""
        return {"photo": len(self._open(split))}


def _as_case(view: View, index: int) -> Case:
    sample = still(view, index)
    truth = {"albedo": sample.albedo, "shading": sample.shading, "normals": sample.normals}
    facts = {"category": view.meta["category"]}
    return Case(view.key, sample.photo, truth, sample.mask, facts)


def open_synth(path: Path | None = None) -> Synth:
    """The shards below ``path``, or the packaged miniature (DataError if there are none)."""
    folder = path or MINIATURE
    if not (folder / "train").is_dir() and not (folder / "val").is_dir():
        raise DataError(
            f"{folder} has no train/ or val/ folder of shards", "give the folder above them"
        )
    return Synth(folder)


def still(view: View, index: int, side: int | None = None) -> Sample:
    """The view under a light, paint and camera that depend on ``index`` alone."""
    rng = np.random.default_rng((7, index))
    return _compose(view, rng, (0, 0, view.ids.shape[0]), side or view.ids.shape[0], plain=True)


def _draw(shards: Shards, seed: int, number: int, side: int) -> Sample:
    """The ``number``-th sample of the endless stream of ``seed``; every pass over the views has a
    fresh order."""
    epoch, place = divmod(number, len(shards))
    order = np.random.default_rng((seed, epoch)).permutation(len(shards))
    rng = np.random.default_rng((seed, 1, number))
    view = shards[int(order[place])]
    return flip(_compose(view, rng, _window(view, rng), side), rng)


def _compose(
    view: View,
    rng: np.random.Generator,
    window: tuple[int, int, int],
    side: int,
    plain: bool = False,
) -> Sample:
    top, left, size = window
    cut = np.s_[top : top + size, left : left + size]
    ids = view.ids[cut]
    albedo = _paint(view, cut, ids, rng, plain)
    shading, highlight = _light(view, cut, rng)
    known = ids > 0
    if rng.random() < (0.0 if plain else 0.25):
        known = _isolate(known, ids, rng)
        albedo, highlight = albedo * known[..., None], highlight * known[..., None]
    light = albedo * shading + highlight
    camera = random_camera(light, known, rng)
    normals = view.normals[cut].astype(np.float32) / 127.5 - 1
    return _photograph(light, shading, normals, known, camera, side, rng)


def _photograph(
    light: Image,
    shading: Image,
    normals: Image,
    known: Mask,
    camera: Camera,
    side: int,
    rng: np.random.Generator,
) -> Sample:
    light, shading, normals = (_resize(x, side) for x in (light, shading, normals))
    mask = _resize(known.astype(np.float32), side) > 0.99
    photo = camera(light, rng)
    shading = shading * camera.gain
    level = brightest(photo)
    mask &= (level < 0.98) & (level > 0.004) & (-brightest(-shading) > _FLOOR)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    albedo = light * camera.gain / np.maximum(shading, 1e-6)
    return Sample(photo, albedo.astype(np.float32), shading.astype(np.float32), normals, mask)


def _paint(
    view: View,
    cut: tuple[slice, slice],
    ids: NDArray[np.uint8],
    rng: np.random.Generator,
    plain: bool,
) -> Image:
    """Linear reflectance: one set, or (half of the time) another set and tint for every object."""
    codes = np.stack([a[cut] for a in view.albedos])
    if plain or rng.random() < 0.5:
        return np.asarray(ALBEDO[codes[rng.integers(len(codes))]])
    choice = rng.integers(len(codes), size=256)[ids]
    mixed = ALBEDO[np.take_along_axis(codes, choice[None, ..., None], axis=0)[0]]
    power = np.exp(rng.normal(0, 0.2, (256, 1)))
    tint = np.exp(rng.normal(0, 0.3, (256, 1)) + rng.normal(0, 0.12, (256, 3)))
    tint[0], power[0] = 1, 1
    return np.asarray(np.clip(mixed ** power[ids] * tint[ids], 0, 0.98), np.float32)


def _light(view: View, cut: tuple[slice, slice], rng: np.random.Generator) -> tuple[Image, Image]:
    """A random mix of the view's lights, each with a colour of its own → shading and highlights."""
    weights = rng.dirichlet(np.full(len(view.shadings), 0.6))[:, None]
    weights = (weights * np.exp(rng.normal(0, 0.12, (len(view.shadings), 3)))).astype(np.float32)
    layers = [w * SHADING[s[cut]] for w, s in zip(weights, view.shadings, strict=True)]
    glints = [weights[k] * SHADING[r[cut]] for k, r in view.highlights.items()]
    return _total(layers), _total(glints or [np.zeros_like(layers[0])])


def _total(layers: list[Image]) -> Image:
    total = layers[0]
    for layer in layers[1:]:
        total = total + layer
    return total


def _isolate(known: Mask, ids: NDArray[np.uint8], rng: np.random.Generator) -> Mask:
    """Keep one object (or a few) on black, as in studio photographs; all of them when none is large
    enough."""
    names, counts = np.unique(ids[known], return_counts=True)
    large = names[counts > 0.06 * ids.size]
    if not large.size:
        return known
    return known & np.isin(
        ids, rng.choice(large, size=rng.integers(1, min(3, large.size) + 1), replace=False)
    )


def _window(view: View, rng: np.random.Generator) -> tuple[int, int, int]:
    side = view.ids.shape[0]
    size = round(side * rng.uniform(0.55, 1.0))
    top, left = rng.integers(0, side - size + 1, 2)
    return int(top), int(left), size


def _resize(x: Image, side: int) -> Image:
    if x.shape[0] == side:
        return x
    method = cv2.INTER_AREA if x.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(x, (side, side), interpolation=method), np.float32)


def flip(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mirror left to right half of the time (normals' x with it)."""
    if rng.random() < 0.5:
        return sample
    normals = sample.normals[:, ::-1] * np.array([-1, 1, 1], np.float32)
    photo, albedo, shading = (x[:, ::-1] for x in (sample.photo, sample.albedo, sample.shading))
    return Sample(photo, albedo, shading, normals, sample.mask[:, ::-1])


def _collate(samples: list[Sample]) -> Batch:
    fields = ("photo", "albedo", "shading", "normals")
    batch = {
        name: np.stack([getattr(s, name) for s in samples]).transpose(0, 3, 1, 2) for name in fields
    }
    batch["mask"] = np.stack([s.mask for s in samples])[:, None].astype(np.float32)
    return {
        name: torch.from_numpy(np.ascontiguousarray(x, np.float32)) for name, x in batch.items()
    }
