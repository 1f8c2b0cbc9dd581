"""``iid datasets check`` and ``prepare``: is a dataset whole, and its originals turned into what a
reader wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from intrinsic_cli.api import DataError, Progress, Silent, Source, UsageError
from intrinsic_cli.api.data import Split
from intrinsic_cli.registry import Registry, load_registry, open_dataset

SPLITS: tuple[Split, ...] = ("train", "val")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A dataset that is whole: how it is scored, what it offers for training, and how many cases
    each split has (None where only counting all would tell). ``collections``: pictures by split of
    data that belongs to no case."""

    data: str
    name: str
    protocol: str
    offers: tuple[str, ...]
    cases: dict[Split, int]
    collections: dict[str, dict[Split, int]] = field(default_factory=dict)


def check(data: str, registry: Registry | None = None) -> CheckReport:
    """Open ``NAME:PATH`` and read the first case of every split. DataError names the files that are
    missing."""
    source = open_dataset(data, registry or load_registry())
    if not source.paired:
        return _check_unpaired(data, source)
    whole: dict[Split, int] = {}
    problems: list[DataError] = []
    for split in SPLITS:
        try:
            cases = source.cases(split)
            if len(cases):
                _ = cases[0]  # broken files are told by the reader
                whole[split] = len(cases)
        except DataError as error:
            problems.append(error)
    if problems and (not whole or source.counts("val").get("photo")):
        raise problems[0]
    if not whole:
        message = f"{data} is laid out rightly but holds no case"
        raise DataError(message, "is the download complete?")
    return CheckReport(data, source.name, source.protocol, tuple(sorted(source.offers)), whole)


def prepare(
    name: str,
    source: Path,
    out: Path,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
    registry: Registry | None = None,
) -> int:
    """Turn the originals in ``source`` into what the reader of ``name`` opens, in ``out``; how many
    were made."""
    datasets = (registry or load_registry()).datasets
    able = sorted(spec.name for spec in datasets.values() if spec.prepare)
    if name not in able:
        what = (
            f"{name!r} needs no preparation" if name in datasets else f"no dataset called {name!r}"
        )
        raise UsageError(what, f"these can be prepared: {', '.join(able)}")
    if not source.is_dir():
        raise DataError(f"{source} is not a folder", f"give the folder of the originals of {name}")
    module, _, function = datasets[name].prepare.partition(":")
    make: Callable[[Path, Path, Progress], int] = getattr(import_module(module), function)
    return make(source, out, progress)


def _check_unpaired(data: str, source: Source) -> CheckReport:
    """Read a batch of either split; there are no cases."""
    for split in SPLITS:
        next(iter(source.batches(split, 1, 32)))
    counts = {split: source.counts(split) for split in SPLITS}
    by_collection = {name: {s: counts[s][name] for s in SPLITS} for name in counts["train"]}
    offers = tuple(sorted(source.offers))
    return CheckReport(data, source.name, source.protocol, offers, {}, by_collection)
