"""``iid decompose``: photos → outputs. Cheap mistakes are found before torch is imported."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from intrinsic_cli import weights
from intrinsic_cli.api import Progress, Silent, UsageError
from intrinsic_cli.kit.files.quiet import noise_note
from intrinsic_cli.registry import Registry, load_registry
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport
from intrinsic_cli.runs.claims import Claims
from intrinsic_cli.runs.decompose.engines import check_engine
from intrinsic_cli.runs.decompose.inputs import Found, is_folder, missing
from intrinsic_cli.runs.decompose.job import Job
from intrinsic_cli.runs.decompose.out_folder import RunEndedError
from intrinsic_cli.runs.decompose.plan import make_plan
from intrinsic_cli.runs.decompose.shards import parse_shard
from intrinsic_cli.runs.decompose.watch import check_places, watched
from intrinsic_cli.runs.session import Choice
from intrinsic_cli.runs.stop_signal import Stop


def decompose(
    request: DecomposeRequest,
    progress: Progress = Silent(),  # noqa: B008  it has no state
    registry: Registry | None = None,
    on_input: Callable[[InputReport], None] | None = None,
) -> DecomposeReport:
    """Take photos apart and write their outputs below ``request.out``; ``on_input`` hears of each
    photo as it ends.

    A photo that cannot be read is reported, not raised. Raises UsageError, DataError (no photo at
    all), WeightsError, and IidError where the output folder is full or gone."""
    start = time.perf_counter()
    registry = registry or load_registry()
    _check(request)
    plan = make_plan(request, registry)
    stop = Stop(request.seconds)
    reports: list[InputReport] = []
    with Claims() as claims:
        job = Job(plan, claims, progress, stop)
        notes = _about_weights(plan.choice, registry)
        if request.watch:
            with stop:
                _watch(job, notes, stop, _Listener(job, reports, on_input))
        else:
            _once(job, notes, _Listener(job, reports, on_input))
    noise = noise_note()
    if noise:
        progress.note(noise)
    return DecomposeReport(tuple(reports), time.perf_counter() - start, stop.asked)


def _check(request: DecomposeRequest) -> None:
    """UsageError for what cannot be asked together."""
    parse_shard(request.shard)
    check_engine(request)
    if request.seconds is not None and not request.watch:
        raise UsageError("--for says how long to --watch", "add --watch")
    if request.watch and request.retry_failed:
        raise UsageError("--watch and --retry-failed exclude each other", "give one of them")
    if request.watch and request.sequence:
        hint = "give the folder again when the shot is whole: what is done is skipped"
        raise UsageError("--watch and --sequence exclude each other", hint)
    if request.watch:
        check_places(request.inputs, request.mask)


class _Listener:
    """Makes each report known as it comes."""

    def __init__(
        self,
        job: Job,
        reports: list[InputReport],
        on_input: Callable[[InputReport], None] | None,
    ) -> None:
        self.progress = job.progress
        self.out = job.plan.request.out
        self.reports = reports
        self.on_input = on_input

    def hear(self, coming: Iterable[InputReport], total: int | None) -> None:
        """All that come, of ``total``. Where the run ends early it says how far it came."""
        try:
            for report in coming:
                self._tell(report)
        except RunEndedError as error:
            done = sum(report.status != "failed" for report in self.reports)
            of = "" if total is None else f" of {total}"
            message = f"{error.message} ({done}{of} photos are done)"
            raise type(error)(message, error.hint) from error

    def _tell(self, report: InputReport) -> None:
        self.reports.append(report)
        for note in report.notes:
            self.progress.note(f"{report.input}: {note}")
        self.progress.advance()
        if self.on_input is not None:
            self.on_input(report)


def _once(job: Job, notes: Iterable[str], listener: _Listener) -> None:
    """The photos that are there now."""
    found = job.look()
    if not found.photos:
        raise found.nothing()
    targets = job.targets(found)
    for note in chain(found.notes(), notes, _about_part(job, found, len(targets))):
        job.progress.note(note)
    total = len(targets) + len(found.empty)
    job.progress.start(f"decompose with {job.plan.request.method}", total)
    try:
        # Its threads end when it is closed, come what may.
        with contextlib.closing(job.go(targets)) as results:
            listener.hear(chain(map(missing, found.empty), results), total)
    finally:
        job.progress.finish()
    if _has_end(job):
        job.mark_done(listener.reports)


def _watch(job: Job, notes: Iterable[str], stop: Stop, listener: _Listener) -> None:
    """The photos that are there, and those that come until it is to stop."""
    folders = job.plan.request.inputs
    for note in (*notes, f"watching {_named(folders)}; Ctrl-C ends it"):
        job.progress.note(note)
    job.progress.start(f"decompose with {job.plan.request.method}", None)
    try:
        with contextlib.closing(watched(job, stop)) as results:
            listener.hear(results, None)
    finally:
        job.progress.finish()


def _about_part(job: Job, found: Found, mine: int) -> Iterator[str]:
    """A sentence where not all photos are to be done."""
    if job.plan.request.retry_failed:
        yield f"{mine} of {len(found.photos)} photos failed last"
    elif job.shard.count > 1:
        yield f"shard {job.shard} has {mine} of {len(found.photos)} photos"


def _has_end(job: Job) -> bool:
    """Is there a folder or a shard of which can be said that it is done?"""
    asked = job.plan.request
    if asked.retry_failed:
        return False
    return job.shard.count > 1 or any(map(is_folder, asked.inputs))


def _named(folders: Sequence[object]) -> str:
    return ", ".join(map(str, folders))


def _about_weights(choice: Choice, registry: Registry) -> Iterator[str]:
    """A sentence where other weights are used than those that came with the method."""
    mine = weights.weights_name(choice.spec, choice.variant)
    shipped = {
        file.path
        for file in weights.list_weights(registry)
        if file.place == "packaged" and file.name == mine
    }
    if choice.weights is not None and shipped and choice.weights not in shipped:
        yield f"weights of {choice.title}: {choice.weights} (not those that came with it)"
