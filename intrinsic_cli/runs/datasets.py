"""``iid datasets check`` and ``prepare``: is a dataset whole, and its originals turned into what a
reader wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import Case, DataError, PluginError, Progress, Silent, Source, UsageError
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.registry import Registry, load_registry, open_dataset
from intrinsic_cli.runs.broken_dataset import broken_dataset

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

SPLITS: tuple[Split, ...] = ("train", "val")
MOST = 200  # cases of a split that are read, evenly spread; more only if asked for
SIDE = 32  # of the batches that are tried
PARTS = 3  # photo, albedo and shading, where each is learned from other photos
#: Offered, but no key of a batch: it says that the layers do not belong together.
_NO_KEY = {"unpaired"}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A dataset that is whole: how it is scored, what it offers for training, how many cases each
    split has and how many of them were read. ``unpaired``: files by layer and split, of data that
    has no cases. ``notes`` are sentences the user should read."""

    data: str
    name: str
    protocol: str
    offers: tuple[str, ...]
    cases: Mapping[Split, int] = field(default_factory=dict)
    read: int = 0
    unpaired: Mapping[str, Mapping[Split, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_dataset(
    data: str,
    registry: Registry | None = None,
    every: bool = False,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
) -> CheckReport:
    """Open ``NAME:PATH``, read its cases (all of few or with ``every``, else :data:`MOST` a split)
    and try a batch. BrokenDatasetError tells what is missing, broken or of the wrong size;
    ``progress`` hears of each but the first (with ``every`` also of each missing file)."""
    registry = registry or load_registry()
    source, missing = _open(data, registry, every, progress)
    offers = tuple(sorted(source.offers))
    spec = registry.datasets.get(data.partition(":")[0])
    trains = spec is None or spec.trains
    if not source.paired:
        return _check_unpaired(data, source)
    cases, absent = _cases(data, source)
    read = _read(cases, missing, every, progress)
    notes = tuple(source.notes)
    if trains:
        _try_batches(source, tuple(cases))
        notes += (*absent, *_notes_on_parts(source, tuple(cases)))
    found = {split: len(there) for split, there in cases.items()}
    return CheckReport(data, source.name, source.protocol, offers, found, read, notes=notes)


def _open(
    data: str, registry: Registry, every: bool, progress: Progress
) -> tuple[Source, MissingFilesError | None]:
    """The dataset, and what it lacks. BrokenDatasetError where it cannot be opened without that."""
    try:
        return open_dataset(data, registry), None
    except MissingFilesError as error:
        if error.rest is None:
            raise broken_dataset(error, every=every, progress=progress) from error
        return error.rest, error


def _check_unpaired(data: str, source: Source) -> CheckReport:
    """Try a batch of either split; there are no cases."""
    _try_batches(source, SPLITS)
    by_layer: dict[str, dict[Split, int]] = {}
    for split in SPLITS:
        for name, count in source.counts(split).items():
            by_layer.setdefault(name, {})[split] = count
    offers = tuple(sorted(source.offers))
    notes = tuple(source.notes)
    return CheckReport(data, source.name, "", offers, unpaired=by_layer, notes=notes)


def _cases(data: str, source: Source) -> tuple[dict[Split, Sequence[Case]], list[str]]:
    """The cases of every split there is, and a sentence for each that is missing. DataError where
    there is none at all."""
    there: dict[Split, Sequence[Case]] = {}
    problems: list[DataError] = []
    for split in SPLITS:
        try:
            cases = source.cases(split)
        except DataError as error:
            problems.append(error)
            continue
        if len(cases):
            there[split] = cases
    if there:
        return there, [error.message for error in problems]
    if problems:
        raise problems[0]
    message = f"{data} is laid out rightly but holds no case"
    raise DataError(message, "is the download complete?")


def _read(
    cases: Mapping[Split, Sequence[Case]],
    missing: MissingFilesError | None,
    every: bool,
    progress: Progress,
) -> int:
    """Read cases and compare their sizes; how many were read. BrokenDatasetError where some are
    broken, or files ``missing``."""
    chosen = {split: _places(len(there), every) for split, there in cases.items()}
    total = sum(map(len, chosen.values()))
    broken: list[DataError] = []
    progress.start("check", total)
    for split, places in chosen.items():
        for place in places:
            try:
                _check_sizes(cases[split][place])
            except DataError as error:
                broken.append(error)
            progress.advance()
    progress.finish()
    if missing or broken:
        raise broken_dataset(missing, broken, total, every, progress)
    return total


def _places(count: int, every: bool) -> list[int]:
    """Which cases are read: all of few, else some that are evenly spread."""
    if every or count <= MOST:
        return list(range(count))
    return [index * (count - 1) // (MOST - 1) for index in range(MOST)]


def _check_sizes(case: Case) -> None:
    """DataError where a layer or the mask is not of the photo's size."""
    planes: dict[str, Any] = {**case.truth, "mask": case.mask}
    expected = _size(case.photo)
    for name, plane in planes.items():
        found = _size(plane)
        if found != expected:
            message = f"{name} of {case.name} has {found} pixels, its photo has {expected}"
            raise DataError(message, "a photo and its layers must be of one size")


def _size(plane: Any) -> str:
    height, width = plane.shape[:2]
    return f"{width}×{height}"


def _try_batches(source: Source, splits: Sequence[Split]) -> None:
    """Draw a batch of each split. PluginError where it lacks what the dataset offers."""
    for split in splits:
        batch = next(iter(source.batches(split, 1, SIDE)))
        lacking = source.offers - batch.keys() - _NO_KEY
        if lacking:
            names = ", ".join(sorted(lacking))
            raise PluginError(f"{source.name} offers {names}, but its batches have no such key")


def _notes_on_parts(source: Source, splits: Sequence[Split]) -> tuple[str, ...]:
    """A sentence where there is too little to learn each layer from other photos."""
    from intrinsic_cli.kit.data.unpaired.parts import require_unpaired

    if len(splits) < len(SPLITS):
        return ()
    try:
        require_unpaired(source, PARTS)
    except DataError as error:
        return (f"{error.message} (for methods that learn layers apart; {error.hint})",)
    return ()


def prepare_dataset(
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
        what = f"no dataset called {name!r}"
        if name in datasets:
            what = f"{name!r} needs no preparation"
        raise UsageError(what, f"these can be prepared: {', '.join(able)}")
    if not source.is_dir():
        raise DataError(f"{source} is not a folder", f"give the folder of the originals of {name}")
    module, _, function = datasets[name].prepare.partition(":")
    make: Callable[[Path, Path, Progress], int] = getattr(import_module(module), function)
    return make(source, out, progress)
