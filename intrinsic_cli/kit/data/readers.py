"""What readers share whose cases are a list of files: an order, a count, and crops to train on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import numpy as np

from intrinsic_cli.api import Case, DataError, Progress, Source
from intrinsic_cli.kit.data.crops import cut, middle_window, random_window
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.rows import collate, mirror
from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.size_check import check_sizes

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.kit.data.rows import Sample

Entry = TypeVar("Entry")

SPLITS: tuple[Split, ...] = ("train", "val")


class LazyCases(Sequence[Case]):
    """Cases with a length at once, each read when it is asked for: ``read`` makes one of an
    entry."""

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


def all_cases(source: Source) -> Sequence[Case]:
    """The cases of both splits, or of the only one there is; a photo that is in both comes once."""
    if isinstance(source, FileReader):
        return source.every_case()
    there: list[Sequence[Case]] = []
    problems: list[DataError] = []
    for split in SPLITS:
        try:
            there.append(source.cases(split))
        except DataError as error:
            problems.append(error)
    if not there:
        raise problems[0]
    places = [(cases, index) for cases in there for index in range(len(cases))]
    return LazyCases(places, lambda place: place[0][place[1]])


class FileReader(Source, Generic[Entry]):
    """Most of a :class:`~intrinsic_cli.api.data.Source` of files: a reader fills ``_entries`` and
    makes a case of an entry."""

    _entries: Mapping[Split, Sequence[Entry]]

    @abstractmethod
    def _case(self, entry: Entry) -> Case:
        """One photo with its truth, read from its files."""

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """See :meth:`Source.cases`."""
        return LazyCases(self._in(split), self._case)

    def every_case(self) -> Sequence[Case]:
        """The cases of all splits, each once."""
        return LazyCases(self._every_entry(), self._case)

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many photos the split has; 0 where there is no such split."""
        return {"photo": len(self._entries.get(split, ()))}

    def check_files(self, progress: Progress) -> None:
        """See :meth:`Source.check_files`: files whose headers tell unlike sizes."""
        check_sizes(self._every_entry(), self._of_one_size, self._case, progress)

    def _of_one_size(self, entry: Entry) -> Sequence[Path]:
        """The files of an entry that hold pictures of one size; none are looked at by default."""
        return ()

    def _files(self, entry: Entry) -> Iterable[Path]:
        """The files without which an entry cannot be read; none are asked for by default."""
        return ()

    def _require_files(self, kind: str, folder: Path, layout: str) -> None:
        """MissingFilesError for files that entries lack; its ``rest`` has the other entries, if
        there are any."""
        wanted = {path for entry in self._every_entry() for path in self._files(entry)}
        missing = {path for path in wanted if not path.is_file()}
        if not missing:
            return
        rest = copy(self)
        rest._entries = {
            split: [entry for entry in entries if missing.isdisjoint(self._files(entry))]
            for split, entries in self._entries.items()
        }
        left = rest if any(rest._entries.values()) else None
        raise MissingFilesError(kind, folder, sorted(missing), layout, left)

    def part(self, index: int, count: int) -> Self:
        """Every ``count``-th entry of each split, from the ``index``-th on."""
        some = copy(self)
        some._entries = {split: entries[index::count] for split, entries in self._entries.items()}
        return some

    def _every_entry(self) -> Sequence[Entry]:
        """The entries of all splits, each once."""
        entries = {id(entry): entry for split in SPLITS for entry in self._entries.get(split, ())}
        return list(entries.values())

    def _in(self, split: Split) -> Sequence[Entry]:
        """The entries of a split. DataError where there are none."""
        entries = self._entries.get(split)
        if not entries:
            there = [name for name, entries in self._entries.items() if entries]
            hint = f"there is: {', '.join(there) or 'nothing'}"
            raise DataError(f"{self.name} has no {split!r} split here", hint)
        return entries


class MeasuringReader(FileReader[Entry]):
    """A reader of data that may be measured on and never trained on."""

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Always a DataError."""
        message = f"{self.name} is for measuring only, its licence keeps it out of training"
        raise DataError(message, "train on synth or on a folder of your own")


class TrainingReader(FileReader[Entry]):
    """A dataset of files to train on: random squares, resized and mirrored half of the time;
    validation shows the middle square of every photo.

    ``swapped`` says which of its points take one another's place in a mirror."""

    swapped: Sequence[int] | None = None

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`."""
        entries = self._in(split)
        if split == "val":
            for places in single_pass(len(entries), size):
                chosen = [self._case(entries[place]) for place in places]
                yield collate([self._middle(case, crop) for case in chosen], self.rows)
            return
        for numbers in endless_batches(size, start):
            yield collate([self._draw(entries, seed, n, crop) for n in numbers], self.rows)

    def _draw(self, entries: Sequence[Entry], seed: int, number: int, crop: int) -> Sample:
        """The ``number``-th sample of the endless stream of ``seed``."""
        case = self._case(entries[shuffled_place(number, len(entries), seed)])
        rng = np.random.default_rng((seed, 1, number))
        sample = self._vary(case, crop, rng)
        if rng.random() < 0.5:
            return sample
        return mirror(sample, self.rows, self.swapped)

    def _middle(self, case: Case, crop: int) -> Sample:
        return cut(case, middle_window(*case.mask.shape), crop, self.offers, self.rows)

    def _vary(self, case: Case, crop: int, rng: np.random.Generator) -> Sample:
        height, width = case.mask.shape
        window = random_window(height, width, rng)
        return cut(case, window, crop, self.offers, self.rows)
