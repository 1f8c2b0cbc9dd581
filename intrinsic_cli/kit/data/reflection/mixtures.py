"""Photos behind glass as a dataset, made up on the fly from any photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.data.photos import open_photos
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.reflection.mix import mix
from intrinsic_cli.kit.data.reflection.optics import shallow_focus
from intrinsic_cli.kit.data.rows import collate
from intrinsic_cli.kit.data.sampling import SEED_STRIDE, single_pass
from intrinsic_cli.kit.data.synth.scenes import open_synth

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

_SEED_OF_VALIDATION = 1 << 20
_NO_GLASS = 0.1  # share of training photos in which nothing is mirrored
_SHALLOW = 0.25  # share of training scenes that are partly out of focus themselves


class Mixtures(Source):
    """Photos of ``source`` mixed two by two, as a :class:`~intrinsic_cli.api.data.Source`.

    ``layers``: 2 = transmission and reflection, 3 = flare too. ``photo`` is the sum of the layers
    (stored in 8 bits for half of the samples); ``mask`` is 1 where the scene behind the glass is
    not clipped. The two scenes come from different parts of the source, so they are never the same
    photo; either may be the one behind the glass.

    What is trained on holds photos without any glass, too, and scenes that lie partly out of focus:
    blur alone does not make a reflection."""

    def __init__(self, source: Source, layers: int = 2) -> None:
        if "photo" not in source.offers:
            message = f"{source.name} has no photos that can be mixed"
            raise DataError(message, "give a folder of photos")
        if "transmission" in source.offers:
            hint = "give the photos they were made of, or reflection3"
            raise DataError(f"the photos of {source.name} are mixtures already", hint)
        self._source, self._names = source, SUMMANDS[:layers]
        self.name = self.protocol = "reflection" if layers == 2 else f"reflection{layers}"
        self.offers = frozenset({"photo", "mask", *self._names})
        self.notes = source.notes

    def part(self, index: int, count: int) -> Mixtures:
        """Mixtures of the ``index``-th of ``count`` parts of the photos. DataError where there are
        too few photos."""
        train = self._source.counts("train").get("photo", 0)
        val = self._source.counts("val").get("photo", 0)
        if min(train, val) < 2 * count:
            there = f"{train} photos to train on and {val} to validate with"
            message = f"{self._source.name} has {there}, too few for {count} parts of mixtures"
            hint = f"each part mixes two photos: bring at least {4 * count} in all"
            raise DataError(message, hint)
        return Mixtures(self._source.part(index, count), len(self._names))

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. Validation shows every pair of photos twice, either one
        behind the glass."""
        first, second = (
            part.batches(split, size, crop, seed + SEED_STRIDE * index, start)
            for index, part in enumerate(self._two_parts())
        )
        for number, (one, other) in enumerate(zip(first, second, strict=False), start):
            pairs = list(zip(_images(one), _images(other), strict=False))
            if split == "train":
                yield collate(self._trained(pairs, seed, number * size))
            else:
                samples = self._validated(pairs, number * size)
                for places in single_pass(len(samples), size):
                    yield collate([samples[place] for place in places])

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Every pair of full-size photos twice, either one behind the glass; fixed."""
        ones, others = (part.cases(split) for part in self._two_parts())
        pairs = min(len(ones), len(others))
        return LazyCases(range(2 * pairs), lambda i: self._case(ones, others, i))

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many mixtures the split has."""
        return {"photo": len(self.cases(split))}

    def _case(self, ones: Sequence[Case], others: Sequence[Case], number: int) -> Case:
        """The ``number``-th case: even ones have the first part's photo behind the glass."""
        pair, swapped = divmod(number, 2)
        behind, mirrored = ones[pair], others[pair]
        if swapped:
            behind, mirrored = mirrored, behind
        rng = np.random.default_rng((_SEED_OF_VALIDATION, number))
        sample = mix(behind.photo, mirrored.photo, rng, self._names)
        truth = {name: sample[name] for name in self._names}
        known = sample["mask"][..., 0] > 0
        name = f"{behind.name}+{mirrored.name}"
        return Case(name, sample["photo"], truth, known)

    def _two_parts(self) -> list[Source]:
        return [self._source.part(index, 2) for index in range(2)]

    def _trained(self, pairs: Sequence[tuple[Image, Image]], seed: int, first: int) -> list[Sample]:
        """A mixture a pair; which photo is behind the glass is drawn too."""
        samples = []
        for number, (one, other) in enumerate(pairs, first):
            rng = np.random.default_rng((seed, number))
            if rng.random() < 0.5:
                one, other = other, one
            if rng.random() < _SHALLOW:
                one = shallow_focus(one, rng)
            if rng.random() < _NO_GLASS:
                other = np.zeros_like(other)
            samples.append(mix(one, other, rng, self._names))
        return samples

    def _validated(self, pairs: Sequence[tuple[Image, Image]], first: int) -> list[Sample]:
        """Two fixed mixtures a pair."""
        both_ways = []
        for one, other in pairs:
            both_ways += [(one, other), (other, one)]
        samples = []
        for number, (behind, mirrored) in enumerate(both_ways, first):
            rng = np.random.default_rng((_SEED_OF_VALIDATION, number))
            sample = mix(behind, mirrored, rng, self._names)
            samples.append(sample)
        return samples


def _images(batch: Batch) -> Iterator[Image]:
    """The photos of a batch, [S,S,3] each."""
    return (np.ascontiguousarray(photo) for photo in batch["photo"].permute(0, 2, 3, 1).numpy())


def open_reflection(path: Path | None = None, layers: int = 2) -> Mixtures:
    """Mixtures of the packaged scenes (None), of shards (``train/`` or ``val/`` with tar files), or
    of the photos in a folder or in its ``photo/``."""
    return Mixtures(_open_photos(path), layers)


def open_reflection3(path: Path | None = None) -> Mixtures:
    """As :func:`open_reflection`, with flare."""
    return open_reflection(path, 3)


def _open_photos(path: Path | None) -> Source:
    if path is None or any(path.glob("train/*.tar")) or any(path.glob("val/*.tar")):
        return open_synth(path)
    return open_photos(path / "photo" if (path / "photo").is_dir() else path)
