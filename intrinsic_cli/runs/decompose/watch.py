"""``--watch``: photos that come into folders are taken apart as they come."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose.inputs import is_folder
from intrinsic_cli.runs.decompose.job import Job
from intrinsic_cli.runs.decompose.targets import Target

LOOK = 1.0  # seconds between two looks into the folders, or as long as a look takes
SHARE = 0.05  # seconds between two looks at whether to stop

#: Size and time of a photo, and of its mask where one is asked for.
State = tuple[int, ...]


def check_places(inputs: Sequence[Path], mask: Path | None) -> None:
    """UsageError unless there are folders to watch, and one for their masks where any are asked
    for."""
    others = [path for path in inputs if not is_folder(path)]
    if others or not inputs:
        what = f"{others[0]} is no folder" if others else "no folder given"
        raise UsageError(f"{what}; --watch watches folders", "give folders that are there")
    if mask is not None and not is_folder(mask):
        hint = "give a folder of masks, called as the photos are"
        raise UsageError(f"{mask} is no folder of masks, which --watch needs", hint)


def watched(job: Job, stop: Callable[[], bool]) -> Generator[InputReport, None, None]:
    """Reports of the photos as they come, until it is to stop. A photo is done once, and again
    when it or its mask has changed; it is touched only after two looks found both with the same
    size and time, for then nobody is writing them any more. One whose mask has not come waits."""
    seen: dict[Path, State] = {}
    settled: dict[Path, State] = {}
    waiting: set[Path] = set()
    while not stop():
        began = time.monotonic()
        ready: list[Target] = []
        for target in job.targets(job.look()):
            path, state = target.path, _state(target)
            if path is None or state is None or settled.get(path) == state:
                continue
            if seen.get(path) == state:
                ready.append(target)
            seen[path] = state
        for report in job.go(_with_masks(job, ready, waiting)):
            path = Path(report.input)
            settled[path] = seen.pop(path)
            yield report
            if stop():
                return
        _rest(max(LOOK, time.monotonic() - began), stop)


def _with_masks(job: Job, ready: Sequence[Target], waiting: set[Path]) -> list[Target]:
    """Those of ``ready`` that have all they need; of each other one it is told once."""
    masks = job.plan.request.mask
    if masks is None:
        return list(ready)
    for target in ready:
        if target.mask is None and target.path not in waiting and target.path is not None:
            waiting.add(target.path)
            job.progress.note(f"{target.input} waits for its mask in {masks}")
    return [target for target in ready if target.mask is not None]


def _state(target: Target) -> State | None:
    """What tells whether a photo or its mask was written anew, None where one is gone again."""
    state: State = ()
    for path in (target.path, target.mask):
        if path is None:
            continue
        try:
            status = path.stat()
        except OSError:
            return None
        state += (status.st_size, status.st_mtime_ns)
    return state


def _rest(seconds: float, stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stop() and time.monotonic() < until:
        time.sleep(SHARE)
