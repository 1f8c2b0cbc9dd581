"""``iid train``: settings, data and a run folder, then every stage through the one loop."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from intrinsic_cli.api import DataError, Progress, Silent, Source, UsageError, WeightsError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.registry import Registry, load_registry, open_dataset
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.launcher import Launched
from intrinsic_cli.runs.stop_signal import Stop
from intrinsic_cli.runs.train.claim import claimed
from intrinsic_cli.runs.train.counts import counted, tell_change
from intrinsic_cli.runs.train.finish import finish
from intrinsic_cli.runs.train.initial import keep_initial_weights, without_whole_stages
from intrinsic_cli.runs.train.plan import Run, require_needs
from intrinsic_cli.runs.train.processes import all_processes, follow_leader, launched_for
from intrinsic_cli.runs.train.run_folder import CONFIG, release
from intrinsic_cli.runs.train.stages import Stages


def train(
    request: TrainRequest,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
    registry: Registry | None = None,
) -> TrainReport:
    """Train or continue a run. Time (``request.seconds``), Ctrl-C, SIGTERM and a closed terminal
    end it early but whole. Processes that torchrun or SLURM started train one run together."""
    registry = registry or load_registry()
    place = launched_for(request)
    if place is not None and place.rank > 0:
        return follow_leader(place, registry)
    with claimed(request, registry, progress) as run:
        return _train(run, request, place, registry, progress)


def _train(
    run: Run,
    request: TrainRequest,
    place: Launched | None,
    registry: Registry,
    progress: Progress,
) -> TrainReport:
    source = _open_data(run, registry, progress)
    counts = counted(source)
    tell_change(run.counts, counts, progress)
    run = replace(run, counts=counts)
    with _undone_on_failure(run, request):
        run.write()
        if run.init and not request.resume:
            run = without_whole_stages(run, source, progress)
            run.write()
        keep_initial_weights(run)
        with Stop(request.seconds) as stop, all_processes(run, request, place) as processes:
            # Whoever installs wants weights at the end of the time, however short it is.
            share = stop.within if run.install and request.seconds else None
            stages = Stages(run, request, source, progress, processes)
            outcome = stages.train(stop, share)
        return finish(run, outcome, stop.asked and not outcome.finished, progress)


def _open_data(run: Run, registry: Registry, progress: Progress) -> Source:
    """The dataset, once it is known to be fit to train on. DataError."""
    source = open_dataset(run.data, registry)
    require_needs(run, source)
    _check_files(run, source, progress)
    for note in source.notes:
        progress.note(f"note: {note}")
    return source


def _check_files(run: Run, source: Source, progress: Progress) -> None:
    """DataError now for what would end the run amid its steps."""
    try:
        source.check_files(progress)
    except DataError as error:
        more = f"`iid datasets check {shlex.quote(run.data)} --all` names every such file"
        hint = f"{error.hint}; {more}" if error.hint else more
        raise DataError(error.message, hint) from error


@contextmanager
def _undone_on_failure(run: Run, request: TrainRequest) -> Iterator[None]:
    """A new run that fails before its first step leaves nothing behind; one that cannot be resumed
    with other settings keeps its own."""
    config = run.folder / CONFIG
    before = config.read_bytes() if request.resume else b""
    try:
        yield
    except BaseException as error:
        if not request.resume:
            release(run.folder, run.stages)
        elif isinstance(error, UsageError | WeightsError):
            with replacing(config) as temporary:
                temporary.write_bytes(before)
        raise
