"""What readers share whose cases are a list of files: an order, a count, and crops to train on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.crops import Sample, collate, middle_square, random_square

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split


class LazyCases(Sequence[Case]):
    """Cases with a length at once, each read when it is asked for: ``read`` makes one of an entry."""

    def __init__(self, entries: Sequence[Any], read: Callable[[Any], Case]) -> None:
        self._entries, self._read = entries, read

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Case: ...

    @overload
    def __getitem__(self, index: slice) -> LazyCases: ...

    def __getitem__(self, index: int | slice) -> Case | LazyCases:
        if isinstance(index, slice):
            return LazyCases(self._entries[index], self._read)
        return self._read(self._entries[index])


class Reader(Source):
    """Most of a :class:`~intrinsic_cli.api.data.Source` of files: a reader fills ``_entries`` and
    makes a case of an entry."""

    _entries: Mapping[Split, Sequence[Any]]

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """See :meth:`Source.cases`."""
        return LazyCases(self._in(split), self._case)

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many photos the split has; 0 where there is no such split."""
        return {"photo": len(self._entries.get(split, ()))}

    def part(self, index: int, count: int) -> Self:
        """Every ``count``-th entry of each split, from the ``index``-th on."""
        some = copy(self)
        some._entries = {split: entries[index::count] for split, entries in self._entries.items()}
        return some

    def _case(self, entry: Any) -> Case:
        raise NotImplementedError

    def _in(self, split: Split) -> Sequence[Any]:
        """The entries of a split. DataError where there are none."""
        if not self._entries.get(split):
            there = ", ".join(name for name, entries in self._entries.items() if entries)
            message = f"{self.name} has no {split!r} split here"
            raise DataError(message, f"there is: {there or 'nothing'}")
        return self._entries[split]


class MeasuringReader(Reader):
    """A reader of data that may be measured on and never trained on."""

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Always a DataError."""
        message = f"{self.name} is for measuring only, its licence keeps it out of training"
        raise DataError(message, "train on synth or on a folder of your own")


class TrainingReader(Reader):
    """A listed dataset to train on: random squares, resized and mirrored half of the time;
    validation shows the middle square of every photo (the last batch may be smaller)."""

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`."""
        entries = self._in(split)
        if split == "val":
            for first in range(0, len(entries), size):
                chosen = entries[first : first + size]
                yield collate([self._still(self._case(entry), crop) for entry in chosen])
            return
        while True:
            yield collate([self._draw(entries, seed, start * size + i, crop) for i in range(size)])
            start += 1

    def _draw(self, entries: Sequence[Any], seed: int, number: int, crop: int) -> Sample:
        """The ``number``-th sample of the endless stream of ``seed``: every pass has a fresh
        order."""
        epoch, place = divmod(number, len(entries))
        order = np.random.default_rng((seed, epoch)).permutation(len(entries))
        return self._vary(
            self._case(entries[order[place]]), crop, np.random.default_rng((seed, 1, number))
        )

    def _still(self, case: Case, crop: int) -> Sample:
        return middle_square(case, crop)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        return random_square(case, crop, rng)


def share(name: str) -> float:
    """A number in 0..1 that depends on the name alone, on every machine: below .1 is a tenth of all
    names."""
    return (
        int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:6], "big")
        / 2**48
    )
