"""``iid decompose``: photos → outputs. Cheap mistakes are found before torch is imported."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace

from intrinsic_cli import weights
from intrinsic_cli.api import IidError, Progress, Silent
from intrinsic_cli.kit.files.atomic import sweep
from intrinsic_cli.kit.files.quiet import noise_note
from intrinsic_cli.registry import Registry, load_registry
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.earlier import replaced, verdict
from intrinsic_cli.runs.decompose.inputs import Found, find, missing
from intrinsic_cli.runs.decompose.load import load
from intrinsic_cli.runs.decompose.photos import contained, process_photos, sentence
from intrinsic_cli.runs.decompose.plan import Plan, make_plan
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import Target, check_targets, choose_targets
from intrinsic_cli.runs.session import Choice


def decompose(
    request: DecomposeRequest,
    progress: Progress = Silent(),  # noqa: B008  it has no state
    registry: Registry | None = None,
    on_input: Callable[[InputReport], None] | None = None,
) -> DecomposeReport:
    """Take photos apart and write their outputs below ``request.out``; ``on_input`` hears of each
    photo as it ends.

    A photo that cannot be read is reported, not raised. Raises UsageError, DataError (no photo at
    all), WeightsError."""
    start = time.perf_counter()
    registry = registry or load_registry()
    plan = make_plan(request, registry)
    sidecars = Sidecars()
    found = find(request.inputs, request.recursive, request.out, sidecars)
    targets = _targets(plan, found, sidecars)
    for note in found.notes():
        progress.note(note)
    for note in _about_weights(plan.choice, registry):
        progress.note(note)
    progress.start(f"decompose with {request.method}", len(targets) + len(found.empty))
    try:
        # Its threads end when it is closed, come what may.
        with contextlib.closing(_go(plan, targets, found, sidecars, progress)) as results:
            reports = tuple(_told(results, progress, on_input))
        noise = noise_note()
        if noise:
            progress.note(noise)
    finally:
        progress.finish()
    return DecomposeReport(reports, time.perf_counter() - start)


def _targets(plan: Plan, found: Found, sidecars: Sidecars) -> list[Target]:
    """Where the outputs of each photo go; what killed runs left half-written there is removed."""
    if not found.photos:
        raise found.nothing()
    targets = choose_targets(found.photos, plan.request.out, plan, sidecars)
    check_targets(targets, plan)
    for folder in {target.base.parent for target in targets}:
        sweep(folder)
    return targets


def _told(
    reports: Iterable[InputReport],
    progress: Progress,
    on_input: Callable[[InputReport], None] | None,
) -> Iterator[InputReport]:
    """The reports, each made known as it comes."""
    for report in reports:
        for note in report.notes:
            progress.note(f"{report.input}: {note}")
        progress.advance()
        if on_input is not None:
            on_input(report)
        yield report


def _go(
    plan: Plan, targets: Sequence[Target], found: Found, sidecars: Sidecars, progress: Progress
) -> Generator[InputReport, None, None]:
    """A report of every input: what is missing, what is finished, then the work."""
    yield from map(missing, found.empty)
    waiting = []
    for target in targets:
        report = _verdict(target, plan, sidecars)
        if report is None:
            waiting.append(target)
        elif report.status == "skipped" and plan.request.preview and not report.preview:
            yield _preview(target, plan, report, sidecars)
        else:
            yield report
    note = replaced(waiting, plan, sidecars)
    if note:
        progress.note(note)
    if waiting:
        yield from process_photos(plan, waiting, sidecars, progress.note)


def _verdict(target: Target, plan: Plan, sidecars: Sidecars) -> InputReport | None:
    """As :func:`verdict`; a sidecar that makes no sense vouches for nothing."""
    try:
        return verdict(target, plan, sidecars)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _preview(target: Target, plan: Plan, report: InputReport, sidecars: Sidecars) -> InputReport:
    """Just the contact sheet of a finished photo."""
    from intrinsic_cli.runs.decompose.write import add_preview

    start = time.perf_counter()
    facts = sidecars.read(target.sidecar) or {}
    try:
        photo = contained(load, target, plan.request).photo
        contained(add_preview, target, plan, photo, facts)
    except IidError as error:
        return InputReport(target.input, "failed", error=sentence(error))
    path = str(target.preview)
    seconds = time.perf_counter() - start
    return replace(report, status="done", preview=path, written=(path,), seconds=seconds)


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
