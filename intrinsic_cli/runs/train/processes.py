"""Several processes that train one run: those of ``--nproc``, of torchrun or of SLURM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli.api import Silent, UsageError
from intrinsic_cli.registry import Registry, load_registry, open_dataset
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.launcher import Launched, launched, meeting_point
from intrinsic_cli.runs.stop_signal import Stop
from intrinsic_cli.runs.train.plan import Run, plan
from intrinsic_cli.runs.train.stages import Stages

if TYPE_CHECKING:
    from intrinsic_cli.kit.training.distributed import Processes


def launched_for(request: TrainRequest) -> Launched | None:
    """Where this process stands in a launch, None where there is none. UsageError where more
    processes are asked for, or where nobody says where to meet."""
    if request.nproc < 1:
        message = f"{request.nproc} processes cannot train"
        raise UsageError(message, "give nproc of 1 or more")
    place = launched(os.environ)
    if place is None:
        return None
    if request.nproc > 1:
        message = f"--nproc {request.nproc}, but there are {place.count} processes ({place.told})"
        raise UsageError(message, "leave --nproc out under torchrun and SLURM")
    meeting_point(os.environ)
    return place


def all_processes(
    run: Run, request: TrainRequest, place: Launched | None
) -> AbstractContextManager[Processes]:
    """A context in which all processes of the run are at work; this one leads."""
    from intrinsic_cli.kit.training.process_group import started

    folder = run.folder.absolute()
    same = TrainRequest(resume=folder, device=request.device, precision=request.precision)
    if place is None:
        return started(request.nproc, follow, (same,))
    return _led(place, same)


def follow(processes: Processes, request: TrainRequest, registry: Registry | None = None) -> None:
    """What the other processes do: the same stages; the leading one says when to stop."""
    registry = registry or load_registry()
    run = plan(request, registry)
    source = open_dataset(run.data, registry)
    with Stop():
        Stages(run, request, source, Silent(), processes).train(lambda: False)


def follow_leader(place: Launched, registry: Registry) -> TrainReport:
    """Be one of the others of a launch, and do what the leading one is asked to."""
    with _joined(place) as processes:
        request = processes.told_by_leader(TrainRequest())
        follow(processes, request, registry)
    return TrainReport(request.resume or Path(), None, True)


@contextmanager
def _led(place: Launched, request: TrainRequest) -> Iterator[Processes]:
    with _joined(place) as processes:
        processes.told_by_leader(request)
        yield processes


def _joined(place: Launched) -> AbstractContextManager[Processes]:
    from intrinsic_cli.kit.training.process_group import joined

    return joined(place.rank, place.count, meeting_point(os.environ), place.here)
