"""Photos behind glass, made up on the fly from any photos: what is behind, what is mirrored, and
stray light.

A pane lets one scene through and mirrors another; in linear light the two simply add up. Whatever
has photos can therefore be mixed into photos with exact truth. What is drawn at random follows how
such synthetic reflections are commonly made: the mirrored scene is dimmer, mostly out of focus,
sometimes doubled by the two faces of the pane, and seldom fills the picture (Fan et al., "A Generic
Deep Architecture for Single Image Reflection Removal", ICCV 2017; Zhang et al., "Single Image
Reflection Separation with Perceptual Losses", CVPR 2018). The numbers are our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.data.crops import Image, Sample, collate
from intrinsic_cli.kit.data.photos import open_photos
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.reflection.optics import defocus, double, flare, vignette
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import decode_codes, encode_codes

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

_STRIDE = 7919  # between the seeds of the two parts, so that their orders have nothing in common
_STILL = 1 << 20  # the seed of validation
_WHITE = 0.98  # a photo clips above: what lies behind is not known there


class Mixtures(Source):
    """Photos of ``source`` mixed two by two, as a :class:`~intrinsic_cli.api.data.Source`.

    ``layers``: 2 = transmission and reflection, 3 = flare too. ``photo`` is the sum of the layers
    (stored in 8 bits for half of the samples); ``mask`` is 1 where the scene behind the glass is
    not clipped. The two scenes come from different halves of the source, so they are never the same
    photo; either may be the one behind the glass."""

    def __init__(self, source: Source, layers: int = 2) -> None:
        if "photo" not in source.offers:
            raise DataError(
                f"{source.name} has no photos that can be mixed", "give a folder of photos"
            )
        if "transmission" in source.offers:
            raise DataError(
                f"the photos of {source.name} are mixtures already",
                "give the photos they were made of, or reflection3",
            )
        self._source, self._names = source, SUMMANDS[:layers]
        self.name = self.protocol = "reflection" if layers == 2 else f"reflection{layers}"
        self.offers = frozenset({"photo", "mask", *self._names})

    def part(self, index: int, count: int) -> Mixtures:
        """Mixtures of the ``index``-th of ``count`` parts of the photos. DataError where there are
        too few photos."""
        there = min(self._source.counts(split).get("photo", 0) for split in ("train", "val"))
        if there < 2 * count:
            what = f"{self._source.name} has {there} photos in a split, too few for {count}"
            hint = f"bring at least {4 * count} photos: half of them are held out for validation"
            raise DataError(f"{what} collections of mixtures", hint)
        return Mixtures(self._source.part(index, count), len(self._names))

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation shows every pair of photos twice, either one
        behind the glass."""
        key = seed if split == "train" else _STILL
        streams = [
            half.batches(split, size, crop, seed + _STRIDE * i, start)
            for i, half in enumerate(self._halves())
        ]
        for number, (one, other) in enumerate(zip(*streams, strict=False), start):
            pairs = list(zip(_images(one), _images(other), strict=False))
            if split == "val":
                pairs = [pair for a, b in pairs for pair in ((a, b), (b, a))]
            samples = [self._draw(*pair, (key, number * size + i)) for i, pair in enumerate(pairs)]
            yield from (
                collate(samples[first : first + size]) for first in range(0, len(samples), size)
            )

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Every pair of full-size photos twice, either one behind the glass; fixed."""
        ones, others = (half.cases(split) for half in self._halves())
        pairs = min(len(ones), len(others))
        return LazyCases(range(2 * pairs), lambda i: self._mixed(ones, others, i))

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many mixtures the split has."""
        return {"photo": len(self.cases(split))}

    def _mixed(self, ones: Sequence[Case], others: Sequence[Case], number: int) -> Case:
        """The ``number``-th case: even ones have the first half's photo behind the glass."""
        behind, mirrored = ones[number // 2], others[number // 2]
        if number % 2:
            behind, mirrored = mirrored, behind
        rng = np.random.default_rng((_STILL, number))
        sample = mix(behind.photo, mirrored.photo, rng, self._names)
        truth = {name: sample[name] for name in self._names}
        name = f"{behind.name}+{mirrored.name}"
        return Case(name, sample["photo"], truth, sample["mask"][..., 0] > 0)

    def _halves(self) -> list[Source]:
        return [self._source.part(i, 2) for i in range(2)]

    def _draw(self, one: Image, other: Image, key: tuple[int, int]) -> Sample:
        """One training sample; which of two photos is behind the glass is drawn too, unless they
        come in both ways."""
        rng = np.random.default_rng(key)
        swap = key[0] != _STILL and rng.random() < 0.5
        return mix(other, one, rng, self._names) if swap else mix(one, other, rng, self._names)


def mix(
    behind: Image, mirrored: Image, rng: np.random.Generator, names: tuple[str, ...] = SUMMANDS[:2]
) -> Sample:
    """Two photos [H,W,3] (the second of any size) → ``photo``, the layers ``names`` [H,W,3] and
    ``mask`` [H,W,1].

    Layers are dimmed alike where their sum would be brighter than white."""
    height, width = behind.shape[:2]
    layers = {
        "transmission": behind * np.float32(rng.uniform(0.6, 1.0)),
        "reflection": _mirror(_cover(mirrored, height, width), rng),
    }
    if "flare" in names:
        layers["flare"] = flare(height, width, rng)
    photo = np.add.reduce(list(layers.values()))
    gain = np.float32(1 / max(1.0, float(photo.max())))
    photo = np.minimum(photo * gain, 1.0)
    if rng.random() < 0.5:
        photo = decode_codes(encode_codes(photo, 8), "srgb")
    known = behind.max(-1, keepdims=True) < _WHITE
    return {
        "photo": photo,
        **{name: layers[name] * gain for name in names},
        "mask": known.astype(np.float32),
    }


def _mirror(scene: Image, rng: np.random.Generator) -> Image:
    """What the pane throws back of a scene."""
    scene = scene * np.float32(rng.uniform(0.15, 0.6))
    if rng.random() < 0.75:
        scene = defocus(scene, rng.uniform(0, 0.04) * min(scene.shape[:2]))
    if rng.random() < 0.3:
        scene = double(scene, rng)
    return scene * vignette(scene.shape[0], scene.shape[1], rng) if rng.random() < 0.6 else scene


def _cover(scene: Image, height: int, width: int) -> Image:
    """The middle of ``scene``, scaled to fill ``height`` × ``width``."""
    if scene.shape[:2] == (height, width):
        return scene
    scale = max(height / scene.shape[0], width / scene.shape[1])
    rows, columns = (
        min(round(height / scale), scene.shape[0]),
        min(round(width / scale), scene.shape[1]),
    )
    top, left = (scene.shape[0] - rows) // 2, (scene.shape[1] - columns) // 2
    window = np.ascontiguousarray(scene[top : top + max(rows, 1), left : left + max(columns, 1)])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(window, (width, height), interpolation=method), np.float32)


def _images(batch: Batch) -> Iterator[Image]:
    """The photos of a batch, [S,S,3] each."""
    return (np.ascontiguousarray(photo) for photo in batch["photo"].permute(0, 2, 3, 1).numpy())


def open_reflection(path: Path | None = None, layers: int = 2) -> Mixtures:
    """Mixtures of the packaged views (None), of shards (``train/`` or ``val/`` with tar files), or
    of the photos in a folder or in its ``photo/``."""
    return Mixtures(_open_photos(path), layers)


def open_reflection3(path: Path | None = None) -> Mixtures:
    """As :func:`open_reflection`, with flare."""
    return open_reflection(path, 3)


def _open_photos(path: Path | None) -> Source:
    if path is None or any(path.glob("train/*.tar")) or any(path.glob("val/*.tar")):
        return open_synth(path)
    return open_photos(path / "photo" if (path / "photo").is_dir() else path)
