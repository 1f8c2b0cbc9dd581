"""``iid train``: settings, data and a run folder, then every stage through the one loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from intrinsic_cli.api import Progress, Silent, UsageError, WeightsError
from intrinsic_cli.registry import Registry, load_registry, open_dataset
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.stop_signal import Stop
from intrinsic_cli.runs.train.finish import finish
from intrinsic_cli.runs.train.initial import without_whole_stages
from intrinsic_cli.runs.train.plan import Run, plan, require_needs
from intrinsic_cli.runs.train.run_folder import CONFIG, release
from intrinsic_cli.runs.train.stages import Stages

if TYPE_CHECKING:
    from intrinsic_cli.kit.training.distributed import Processes


def train(
    request: TrainRequest,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
    registry: Registry | None = None,
) -> TrainReport:
    """Train or continue a run. Time (``request.seconds``), Ctrl-C, SIGTERM and a closed terminal
    end it early but whole."""
    registry = registry or load_registry()
    run = plan(request, registry)
    source = open_dataset(run.data, registry)
    require_needs(run, source)
    for note in source.notes:
        progress.note(f"note: {note}")
    with _undone_on_failure(run, request):
        run.write()
        if run.init and not request.resume:
            run = without_whole_stages(run, source, progress)
            run.write()
        from intrinsic_cli.kit.training.distributed import started

        same = TrainRequest(resume=run.folder, device=request.device, precision=request.precision)
        with Stop(request.seconds) as stop, started(request.nproc, follow, (same,)) as processes:
            # Whoever installs wants weights at the end of the time, however short it is.
            share = stop.within if run.install and request.seconds else None
            stages = Stages(run, request, source, progress, processes)
            outcome = stages.train(stop, share)
        interrupted = stop.asked and not outcome.finished
        return finish(run, outcome, interrupted, progress)


def follow(processes: Processes, request: TrainRequest) -> None:
    """What the other processes of ``--nproc`` do: the same stages; the leading one says when to
    stop."""
    registry = load_registry()
    run = plan(request, registry)
    source = open_dataset(run.data, registry)
    with Stop():
        Stages(run, request, source, Silent(), processes).train(lambda: False)


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
            config.write_bytes(before)
        raise
