"""Real processes that take one folder apart, started quickly and killed at will."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from intrinsic_cli.api import Silent

LOOK = 0.002  # seconds between two looks
LOOKS = 60_000  # for anything that is waited for; a busy machine may need many
#: Imported once, by the process that all others are forked from.
PRELOADED = [
    "intrinsic_cli.kit.files.layers",
    "intrinsic_cli.kit.inference.pipeline",
    "intrinsic_cli.runs.decompose.write",
    "iid_gray.method",
]
#: How the note begins that tells of a process that watches.
WATCHING = "watching"
FOR_EVER = 3600.0


@dataclass(frozen=True)
class Work:
    """What a process is to do: take ``photos`` apart, each ``sleep`` seconds longer than it must,
    and stand still after ``most`` of them until it is killed."""

    photos: Path
    out: Path
    log: Path
    home: str
    shard: str = ""
    sleep: float = 0.0
    watch: bool = False
    most: int = 10_000


class Processes:
    """Runs of iid on one output folder, and what they said became of the photos."""

    def __init__(self, photos: Path, out: Path) -> None:
        self.photos, self.out = photos, out
        self.log = out.with_suffix(".log")
        self.running: list[BaseProcess] = []
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)

    def start(self, shard: str = "", **more: Any) -> BaseProcess:
        """One more; ``more`` are fields of Work."""
        given = Work(self.photos, self.out, self.log, os.environ["IID_HOME"], shard, **more)
        process = self.context.Process(target=work, args=(given,))
        process.start()
        self.running.append(process)
        return process

    def wait(self) -> list[int | None]:
        """The exit codes of all."""
        self._until(lambda: not self.alive())
        return [process.exitcode for process in self.running]

    def wait_for(self, count: int) -> None:
        """Until there are ``count`` sidecars."""
        self._until(lambda: self.sidecars() >= count)

    def wait_for_watcher(self) -> None:
        """Until one watches: then it can be asked to end."""
        self._until(lambda: any(line.startswith(WATCHING) for line in self.told()))

    def _until(self, true: Callable[[], bool]) -> None:
        """Looks are counted, not seconds: a machine that stands still for minutes, as virtual ones
        do, has broken nothing."""
        for _ in range(LOOKS):
            if true():
                return
            assert self.alive() or true(), f"all have ended; {self.state()}"
            time.sleep(LOOK)
        raise AssertionError(self.state())

    def alive(self) -> list[BaseProcess]:
        return [process for process in self.running if process.is_alive()]

    def sidecars(self) -> int:
        return sum(name.endswith(".iid.json") for name in self._names())

    def _names(self) -> list[str]:
        return os.listdir(self.out) if self.out.exists() else []  # noqa: PTH208  looked at often

    def told(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def done(self) -> Counter[str]:
        """How often each photo was done."""
        return Counter(line.split()[1] for line in self.told() if line.startswith("done"))

    def state(self) -> str:
        """What became of all, and where those are that go on."""
        alive = self.alive()
        for process in alive:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGUSR1)
        time.sleep(1.0)
        stacks = [stack_file(self.log, process.pid) for process in alive]
        parts = [f"exit codes {[process.exitcode for process in self.running]}"]
        parts += [str(sorted(self._names())), *self.told()]
        parts += [path.read_text() for path in stacks if path.exists()]
        return "\n".join(parts)


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


def stack_file(log: Path, pid: int | None) -> Path:
    """Where a process tells where it is, when it gets SIGUSR1."""
    return log.with_suffix(f".{pid}.stack")


def work(given: Work) -> None:
    """What a process does."""
    with stack_file(given.log, os.getpid()).open("w") as stack:
        faulthandler.register(signal.SIGUSR1, stack, all_threads=True)
        _take_apart(given)


def _take_apart(given: Work) -> None:
    from iid_gray.method import GrayDecomposer

    from intrinsic_cli.requests import DecomposeRequest, InputReport
    from intrinsic_cli.runs.decompose.run import decompose

    os.environ["IID_HOME"] = given.home
    before = GrayDecomposer.__call__
    left = iter(range(given.most))

    def slowly(self: GrayDecomposer, photo: Any) -> Any:
        time.sleep(FOR_EVER if next(left, None) is None else given.sleep)
        return before(self, photo)

    def say(line: str) -> None:
        with given.log.open("a") as file:
            file.write(f"{line}\n")

    class Notes(Silent):
        def note(self, text: str) -> None:
            say(text)

    def tell(report: InputReport) -> None:
        say(f"{report.status} {report.input} {report.error}".rstrip())

    GrayDecomposer.__call__ = slowly  # type: ignore[method-assign]
    more: dict[str, Any] = {"device": "cpu", "shard": given.shard, "watch": given.watch}
    decompose(DecomposeRequest((given.photos,), "gray", given.out, **more), Notes(), on_input=tell)
