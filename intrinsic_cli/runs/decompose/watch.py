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

#: Size and time of a file.
State = tuple[int, int]


def check_folders(inputs: Sequence[Path]) -> None:
    """UsageError unless there are folders to watch."""
    others = [path for path in inputs if not is_folder(path)]
    if others or not inputs:
        what = f"{others[0]} is no folder" if others else "no folder given"
        raise UsageError(f"{what}; --watch watches folders", "give folders that are there")


def watched(job: Job, stop: Callable[[], bool]) -> Generator[InputReport, None, None]:
    """Reports of the photos as they come, until it is to stop. A photo is done once, and again
    when it has changed; it is touched only after two looks found it with the same size and
    time, for then nobody is writing it any more."""
    seen: dict[Path, State] = {}
    settled: dict[Path, State] = {}
    while not stop():
        began = time.monotonic()
        ready: list[Target] = []
        for target in job.targets(job.look()):
            path = target.path
            state = None if path is None else _state(path)
            if path is None or state is None or settled.get(path) == state:
                continue
            if seen.get(path) == state:
                ready.append(target)
            seen[path] = state
        for report in job.go(ready):
            path = Path(report.input)
            settled[path] = seen.pop(path)
            yield report
            if stop():
                return
        _rest(max(LOOK, time.monotonic() - began), stop)


def _state(path: Path) -> State | None:
    try:
        status = path.stat()
    except OSError:  # gone again
        return None
    return status.st_size, status.st_mtime_ns


def _rest(seconds: float, stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not stop() and time.monotonic() < until:
        time.sleep(SHARE)
