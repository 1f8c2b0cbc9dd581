"""Who takes the photos of a run apart: threads of this process, or workers that Ray starts."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Protocol

from intrinsic_cli.api import UsageError
from intrinsic_cli.requests import DecomposeRequest
from intrinsic_cli.runs.claims import Claims
from intrinsic_cli.runs.decompose.out_folder import OutFolder
from intrinsic_cli.runs.decompose.photos import Outcomes, PhotoWorker
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.sidecars import Sidecars
from intrinsic_cli.runs.decompose.targets import Target

ENGINES = ("threads", "ray")
#: What Ray's pipelines need: both come with the extra.
_NEEDED = ("ray", "pyarrow")


class Engine(Protocol):
    """Does photos."""

    def process(self, targets: Sequence[Target], sidecars: Sidecars) -> Outcomes:
        """Each photo with its report, which comes when all its files are in place.
        OutputLostError where nothing more can be written."""


def check_engine(request: DecomposeRequest) -> None:
    """UsageError for an engine that there is not, or that cannot do what is asked."""
    if request.engine not in ENGINES:
        raise UsageError(f"there is no engine {request.engine!r}", f"use {', '.join(ENGINES)}")
    if request.engine == "threads":
        return
    if request.watch:
        hint = "watch with threads, on several machines with --shard"
        raise UsageError("--watch and --engine ray exclude each other", hint)
    if request.device == "mps" or ":" in request.device:
        hint = "use --device auto, cuda or cpu; Ray gives each worker a GPU of its own"
        raise UsageError(f"--engine ray cannot use the device {request.device}", hint)
    if not all(map(importlib.util.find_spec, _NEEDED)):
        hint = 'pip install "intrinsic-cli[ray]"'
        raise UsageError("--engine ray needs the extra 'ray', which is not installed", hint)


def open_engine(
    plan: Plan,
    claims: Claims,
    folder: OutFolder,
    note: Callable[[str], None],
    stop: Callable[[], bool],
) -> Engine:
    """The engine that is asked for; what it needs is imported when the first photos come."""
    if plan.request.engine == "ray":
        from intrinsic_cli.runs.decompose.ray_engine import RayWorkers

        return RayWorkers(plan, claims, folder, note)
    return PhotoWorker(plan, claims, folder, note, stop)
