"""What readers share whose cases are a list of files: an order, a count, and crops to train on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.crops import Sample, collate, middle_square, random_square

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split


class Listed:
    """Most of a :class:`~intrinsic_cli.api.data.Source`: a reader fills ``_entries`` and makes a case of an entry."""

    name: str
    protocol: str
    offers: frozenset[str]
    _entries: Mapping[Split, Sequence[Any]]

    def cases(self, split: Split = "val", limit: int | None = None) -> Iterator[Case]:
        """The cases of the split, full size, in a fixed order."""
        return map(self._case, self._listed(split)[:limit])  # unlike a generator it survives an unreadable case

    def count(self, split: Split) -> int:
        """How many cases the split has."""
        return len(self._entries.get(split, ()))

    def part(self, index: int, count: int) -> Self:
        """Every ``count``-th entry of each split, from the ``index``-th on."""
        some = copy(self)
        some._entries = {split: entries[index::count] for split, entries in self._entries.items()}
        return some

    def _case(self, entry: Any) -> Case:
        raise NotImplementedError

    def _listed(self, split: Split) -> Sequence[Any]:
        if not self._entries.get(split):
            there = ", ".join(name for name, entries in self._entries.items() if entries)
            raise DataError(f"{self.name} has no {split!r} split here", f"there is: {there or 'nothing'}")
        return self._entries[split]


class Trainable(Listed):
    """A listed dataset to train on: random squares, resized and mirrored half of the time; validation shows the middle
    square of every photo (the last batch may be smaller)."""

    def batches(self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0) -> Iterator[Batch]:
        """See :meth:`Source.batches`."""
        entries = self._listed(split)
        if split == "val":
            for first in range(0, len(entries), size):
                chosen = entries[first : first + size]
                yield collate([self._still(self._case(entry), crop) for entry in chosen])
            return
        while True:
            yield collate([self._draw(entries, seed, start * size + i, crop) for i in range(size)])
            start += 1

    def _draw(self, entries: Sequence[Any], seed: int, number: int, crop: int) -> Sample:
        """The ``number``-th sample of the endless stream of ``seed``: every pass has a fresh order."""
        epoch, place = divmod(number, len(entries))
        order = np.random.default_rng((seed, epoch)).permutation(len(entries))
        return self._vary(self._case(entries[order[place]]), crop, np.random.default_rng((seed, 1, number)))

    def _still(self, case: Case, crop: int) -> Sample:
        return middle_square(case, crop)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return random_square(case, crop, rng)


def share(name: str) -> float:
    """A number in 0..1 that depends on the name alone, on every machine: below .1 is a tenth of all names."""
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:6], "big") / 2**48
