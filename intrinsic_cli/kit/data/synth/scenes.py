"""Rendered scenes as a dataset: mixed anew for every training sample, the same for validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.synth.compose import compose, compose_lights
from intrinsic_cli.kit.data.synth.shards import Scene, Shards, any_meta

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.kit.data.rows import Sample

MINIATURE = Path(__file__).parent / "miniature"
_TRUTH = ("albedo", "shading", "residual", "normals")
_SEED_OF_CASES = 7
_SMALLEST = 0.55  # of the side: the smallest square a training sample is cut from


class Synth(Source):
    """Shards below ``folder``/train and ``folder``/val as a
    :class:`~intrinsic_cli.api.data.Source`. Where the shards know it, ``light`` is on offer too;
    with highlights ``apart``, ``residual`` is, and albedo is paint alone."""

    name = "synth"
    protocol = "synth"
    offers = frozenset({"photo", "albedo", "shading", "normals", "mask"})

    def __init__(self, folder: Path, part: tuple[int, int] = (0, 1), apart: bool = False) -> None:
        self._folder, self._part, self._apart = folder, part, apart
        self._shards: dict[str, Shards] = {}
        self._lights = 1  # under which every training crop is shown
        if _knows_light(folder):
            self.offers |= {"light"}
        if apart:
            self.name = "glossy"
            self.offers |= {"residual"}

    def part(self, index: int, count: int) -> Synth:
        """Every ``count``-th scene, from the ``index``-th on."""
        first, step = self._part
        some = Synth(self._folder, (first + step * index, step * count), self._apart)
        some._lights = self._lights
        return some

    def under_two_lights(self) -> Synth:
        """See :meth:`Source.under_two_lights`; decoded scenes are shared with this one."""
        twice = copy(self)
        twice._lights = 2
        return twice

    def _open(self, split: Split) -> Shards:
        if split not in self._shards:
            self._shards[split] = Shards(self._folder / split, self._part)
        return self._shards[split]

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation batches are whole scenes under a fixed light,
        resized to ``crop``."""
        shards = self._open(split)
        if split == "val":
            for places in single_pass(len(shards), size):
                yield collate([self._fixed(shards[i], i, crop) for i in places])
            return
        crops = -(-size // self._lights)
        for numbers in endless_batches(crops, start):
            drawn = [self._draw(shards, seed, number, crop) for number in numbers]
            yield collate([*chain.from_iterable(drawn)][:size])

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Whole scenes, each under one fixed random light and camera."""
        shards = self._open(split)
        return LazyCases(range(len(shards)), lambda i: self._case(shards[i], i))

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many scenes the split has."""
        return {"photo": len(self._open(split))}

    def _case(self, scene: Scene, index: int) -> Case:
        sample = self._fixed(scene, index, scene.side)
        truth = {name: sample[name] for name in _TRUTH if name in sample}
        facts = {"category": scene.meta["category"]}
        if "light" in sample:
            facts["light"] = sample["light"]
        return Case(scene.key, sample["photo"], truth, sample["mask"][..., 0] > 0, facts)

    def _fixed(self, scene: Scene, index: int, side: int) -> Sample:
        """The scene under a light, paint and camera that depend on ``index`` alone."""
        rng = np.random.default_rng((_SEED_OF_CASES, index))
        whole = Window(0, 0, scene.side)
        return self._offered(compose(scene, rng, whole, side, True, self._apart))

    def _draw(self, shards: Shards, seed: int, number: int, side: int) -> list[Sample]:
        """The ``number``-th crop of the endless stream of ``seed``, under every one of its
        lights."""
        scene = shards[shuffled_place(number, len(shards), seed)]
        rngs = [np.random.default_rng((seed, 1 + light, number)) for light in range(self._lights)]
        rng = rngs[0]
        window = _random_window(scene.side, rng)
        samples = compose_lights(scene, rngs, window, side, apart=self._apart)
        samples = [self._offered(sample) for sample in samples]
        if rng.random() < 0.5:
            return samples
        return [mirror(sample) for sample in samples]

    def _offered(self, sample: Sample) -> Sample:
        return {name: sample[name] for name in sample if name in self.offers}


def open_synth(path: Path | None = None) -> Synth:
    """The shards below ``path``, or the packaged miniature (DataError if there are none)."""
    return Synth(_folder_of_shards(path))


def open_glossy(path: Path | None = None) -> Synth:
    """As :func:`open_synth`, with highlights apart from paint."""
    return Synth(_folder_of_shards(path), apart=True)


def _folder_of_shards(path: Path | None) -> Path:
    folder = path or MINIATURE
    if not (folder / "train").is_dir() and not (folder / "val").is_dir():
        message = f"{folder} has no train/ or val/ folder of shards"
        raise DataError(message, "give the folder above them")
    return folder


def _knows_light(folder: Path) -> bool:
    lights = any_meta(folder).get("lights", ())
    return bool(lights) and all("sh9" in light for light in lights)


def _random_window(side: int, rng: np.random.Generator) -> Window:
    size = round(side * rng.uniform(_SMALLEST, 1.0))
    top, left = rng.integers(0, side - size + 1, 2)
    return Window(int(top), int(left), size)
