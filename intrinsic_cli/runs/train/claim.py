"""A run is trained by one process at a time: two would overwrite each other's steps."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrinsic_cli.api import Progress, UsageError
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.claims import STALE, TOUCH, Claims, is_fresh
from intrinsic_cli.runs.train.plan import Run, plan
from intrinsic_cli.runs.train.run_folder import require_free

_NAME = "run"  # of the claim in the folder
_PATIENCE = STALE + TOUCH  # seconds in which an owner that is alive is seen to be
_PAUSE = 0.5


@contextmanager
def claimed(request: TrainRequest, registry: Registry, progress: Progress) -> Iterator[Run]:
    """The run that is asked for, in whose folder no other process trains until the end. UsageError
    where one does already; and as ``plan``."""
    run = plan(request, registry)
    with _without_empty_folders(run.folder), Claims() as claims:
        while not claims.take(run.folder / _NAME):
            if request.out or request.resume:
                _take_over(claims, run.folder, progress)
                break
            run = plan(request, registry)  # another process was quicker: the next free folder
        if not request.resume:
            require_free(run.folder)  # a short run may have begun and ended since it was planned
        yield run


@contextmanager
def _without_empty_folders(folder: Path) -> Iterator[None]:
    """Of ``folder`` and those around it, what is new and empty in the end goes again."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the first that is not empty, or that was never made
            for path in new:
                path.rmdir()


def _take_over(claims: Claims, folder: Path, progress: Progress) -> None:
    """Take what another process held: once it is seen to have ended. UsageError where it has
    not."""
    base = folder / _NAME
    end = time.monotonic() + _PATIENCE
    if not is_fresh(base):
        progress.note(f"looking for two minutes whether another process trains in {folder}")
    while not claims.take(base):
        if is_fresh(base) or time.monotonic() > end:
            hint = "wait until it is done or stop it, or begin a new run with another --out"
            raise UsageError(f"another process is training in {folder}", hint)
        time.sleep(_PAUSE)
