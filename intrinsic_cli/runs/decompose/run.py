"""``iid decompose``: photos → layers. Cheap mistakes are found before torch is imported."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from intrinsic_cli import settings, weights
from intrinsic_cli.api import DataError, Progress, Silent, UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.atomic import sweep
from intrinsic_cli.kit.files.formats import ENCODINGS, LAYER_SUFFIXES
from intrinsic_cli.registry import Registry, load_registry
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose import inputs
from intrinsic_cli.runs.decompose.inputs import Job
from intrinsic_cli.runs.decompose.process import Order, develop

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
DEVICE = r"auto|cpu|mps|cuda(:\d+)?"


def decompose(
    request: DecomposeRequest,
    progress: Progress = Silent(),  # noqa: B008  it has no state
    registry: Registry | None = None,
    on_input: Callable[[InputReport], None] | None = None,
) -> DecomposeReport:
    """Take photos apart and write their layers below ``request.out``; ``on_input`` hears of each
    photo as it ends.

    A photo that cannot be read is reported, not raised. Raises UsageError, DataError (no photo at
    all), WeightsError."""
    start = time.perf_counter()
    order = understand(request, registry or load_registry())
    found, missing = inputs.find(request.inputs, request.recursive, request.out)
    if not found:
        raise _nothing(missing)
    jobs = inputs.plan(found, request.out)
    inputs.check_targets(jobs, order.layers, request.format)
    for folder in {job.base.parent for job in jobs}:
        sweep(folder)
    reports = []
    progress.start(f"decompose with {request.method}", len(jobs) + len(missing))
    try:
        with contextlib.closing(
            _go(order, jobs, missing, progress)
        ) as results:  # its threads end here, come what may
            for report in results:
                reports.append(report)
                progress.advance()
                if on_input:
                    on_input(report)
    finally:
        progress.finish()
    return DecomposeReport(tuple(reports), time.perf_counter() - start)


def _go(
    order: Order, jobs: Sequence[Job], missing: Sequence[Path], progress: Progress
) -> Generator[InputReport, None, None]:
    yield from map(_missing, missing)
    finished = set()
    for job, report in _settled(order, jobs):
        finished.add(job)
        yield report
    if waiting := [job for job in jobs if job not in finished]:
        yield from develop(order, waiting, progress.note)


def understand(request: DecomposeRequest, registry: Registry) -> Order:
    """Check everything about ``request`` that can be checked without torch and without opening a
    photo."""
    spec, variant = registry.resolve(request.method)
    _check_choices(request)
    layers = _layers(request.layers, request.method, variant.layers)
    toml = settings.read_toml(request.config) if request.config else {}
    options: Any = settings.settle(variant.options, toml, request.options)
    path = weights.find_weights(spec, variant, request.weights)
    _check_writable(request.out)
    whose = {"name": path.stem, "sha256": weights.sha256(path)} if path else None
    more = {
        "seed": request.seed,
        "format": request.format,
        "input_encoding": request.input_encoding,
    }
    recipe = sidecar.recipe(spec.name, variant.name, whose, asdict(options), **more)
    return Order(request, spec, variant, options, path, layers, recipe)


def _check_choices(request: DecomposeRequest) -> None:
    choices = (
        ("format", request.format, tuple(LAYER_SUFFIXES)),
        ("input encoding", request.input_encoding, ENCODINGS),
        ("precision", request.precision, PRECISIONS),
    )
    for what, given, known in choices:
        if given not in known:
            raise UsageError(f"there is no {what} {given!r}", f"use {', '.join(known)}")
    if not re.fullmatch(DEVICE, request.device):
        raise UsageError(
            f"there is no device called {request.device!r}", "use auto, cpu, cuda, cuda:N or mps"
        )
    if request.batch_size is not None and request.batch_size < 1:
        raise UsageError("the batch size must be at least 1")


def _layers(wanted: tuple[str, ...], method: str, given: tuple[str, ...]) -> tuple[str, ...]:
    if not wanted or "all" in wanted:
        return given
    for name in wanted:
        if name not in given:
            raise UsageError(f"{method} has no layer {name!r}", f"layers: {', '.join(given)}")
    return tuple(name for name in given if name in wanted)


def _check_writable(out: Path) -> None:
    standing = next(path for path in (out, *out.absolute().parents) if path.exists())
    if not standing.is_dir():
        raise UsageError(f"{standing} is not a folder", "choose another -o folder")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write to {standing}", "choose another -o folder")


def _nothing(missing: list[Path]) -> DataError:
    folders = [path for path in missing if path.is_dir()]
    if folders:
        return DataError(
            f"there are no photos in {folders[0]}", "use -r to look into its subfolders"
        )
    return DataError(
        f"there is nothing at {missing[0]}" if missing else "no input given", "check the path"
    )


def _missing(path: Path) -> InputReport:
    return InputReport(
        str(path), "failed", error="no photos in this folder" if path.is_dir() else "no such file"
    )


def _settled(order: Order, jobs: Sequence[Job]) -> Iterator[tuple[Job, InputReport]]:
    """The jobs that an earlier run finished in just this way, and those whose place another photo
    has."""
    for job in jobs if not order.request.force else ():
        facts = sidecar.read(job.sidecar)
        if facts is None or job.path is None:
            continue
        whole = sidecar.holds(facts, order.recipe, order.layers, job.base.parent)
        whole = whole and (job.preview.is_file() or not order.request.preview)
        elsewhere = facts.get("source", job.source) != job.source
        if not whole and not elsewhere:
            continue
        same = facts.get("sha256") == _sha256(job.path)
        if same and whole:
            files = {name: str(job.layer(name, order.request.format)) for name in order.layers}
            yield job, InputReport(job.input, "skipped", files, str(job.sidecar))
        elif elsewhere and not same:
            yield job, InputReport(job.input, "failed", error=_occupied(job, str(facts["source"])))


def _occupied(job: Job, source: str) -> str:
    other = os.path.normpath(job.base.parent / source)
    return f"its layers would replace those of {other} at {job.base} (choose another -o folder, or use --force)"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
