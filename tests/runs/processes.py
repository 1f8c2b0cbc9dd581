"""Real processes that take one folder apart, started quickly and killed at will."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

LONGEST = 300.0  # seconds for one process; a busy machine may need many
#: Imported once, by the process that all others are forked from.
PRELOADED = [
    "intrinsic_cli.kit.files.layers",
    "intrinsic_cli.kit.inference.pipeline",
    "intrinsic_cli.runs.decompose.write",
    "iid_gray.method",
]


class Processes:
    """Runs of iid on one output folder, and what they said became of the photos."""

    def __init__(self, photos: Path, out: Path) -> None:
        self.photos, self.out = photos, out
        self.log = out.with_suffix(".log")
        self.running: list[BaseProcess] = []
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOADED)

    def start(self, shard: str = "", sleep: float = 0.0, watch: bool = False) -> BaseProcess:
        home = os.environ["IID_HOME"]
        given = (self.photos, self.out, shard, self.log, home, sleep, watch)
        process = self.context.Process(target=work, args=given)
        process.start()
        self.running.append(process)
        return process

    def wait(self) -> list[int | None]:
        """The exit codes of all."""
        for process in self.running:
            process.join(LONGEST)
        return [process.exitcode for process in self.running]

    def wait_for(self, count: int) -> None:
        """Until there are ``count`` sidecars."""
        deadline = time.monotonic() + LONGEST
        while self.sidecars() < count and time.monotonic() < deadline:
            time.sleep(0.002)

    def sidecars(self) -> int:
        return len(list(self.out.glob("*.iid.json")))

    def done(self) -> Counter[str]:
        """How often each photo was done."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split()[1] for line in lines if line.startswith("done"))


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)


def work(
    photos: Path, out: Path, shard: str, log: Path, home: str, sleep: float, watch: bool
) -> None:
    """What a process does; each photo takes ``sleep`` seconds longer than it must."""
    from iid_gray.method import GrayDecomposer

    from intrinsic_cli.requests import DecomposeRequest, InputReport
    from intrinsic_cli.runs.decompose.run import decompose

    os.environ["IID_HOME"] = home
    before = GrayDecomposer.__call__

    def slowly(self: GrayDecomposer, given: Any) -> Any:
        time.sleep(sleep)
        return before(self, given)

    def tell(report: InputReport) -> None:
        with log.open("a") as file:
            file.write(f"{report.status} {report.input}\n")

    GrayDecomposer.__call__ = slowly  # type: ignore[method-assign]
    request = DecomposeRequest((photos,), "gray", out, device="cpu", shard=shard, watch=watch)
    decompose(request, on_input=tell)
