"""Damaged files at the decoders' front door, and sidecars, manifests and weights: how many, how
fast, and whether any does harm.

python tests/bench/bench_damaged_files.py [--cases N] [--seconds S] [--processes 2] [--log FILE]

Whatever is done to a file, the answer has to be a photo (or what it is) or a sentence. A case that
raises anything else, kills its process or takes longer than a minute of its own is named with the
file it was made of and its seed, by which it can be repeated: --form NAME --seed N --cases 1. For a
long run in the background: ``nohup nice -n 19 python tests/bench/bench_damaged_files.py --cases
1000000 --log fuzz.json &``; it notes there how far it is, ends well when it is told to (SIGTERM),
and goes on from there when it is started again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "kit" / "files"))

#: Cases that a process does before it tells; of these one is looked for where it died.
BATCH = 50
#: Seconds of its own after which a process counts as stuck, and seconds of any kind: on a busy
#: machine a batch waits for long and does nothing wrong.
PATIENCE, LONGEST = 60, 1200.0


def main() -> None:
    """Try, and tell."""
    args = parse()
    forms = [args.form] if args.form else list(whole_files())
    log = Log(args.log)
    stops: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stops.append(number))
    begin = time.perf_counter()
    number = log.outcomes.total()
    pool = Pool(args.processes)
    while number < args.cases and time.perf_counter() - begin < args.seconds and not stops:
        form = forms[number // BATCH % len(forms)]
        first = args.seed + number // BATCH // len(forms) * BATCH
        count = min(BATCH, args.cases - number)
        pool.begin(form, first, count, log.outcomes, log.failures)
        number += count
        log.write()
    pool.end(log.outcomes, log.failures)
    log.write()
    tell(log, time.perf_counter() - begin, len(forms))


def whole_files() -> dict[str, bytes]:
    """What is damaged, by what it is."""
    from damage import seeds
    from damaged_records import records

    return seeds() | records()


class Log:
    """How far a run is, kept in a file where there is one, from which it goes on."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.outcomes: Counter[str] = Counter()
        self.failures: list[str] = []
        if path is not None and path.exists():
            told = json.loads(path.read_text())
            self.outcomes.update(told["outcomes"])
            self.failures += told["failures"]

    def write(self) -> None:
        """Whole or not at all."""
        if self.path is not None:
            told = {"outcomes": self.outcomes, "failures": self.failures}
            beside = self.path.with_name(f"{self.path.name}.new")
            beside.write_text(json.dumps(told, indent=1))
            beside.replace(self.path)


class Pool:
    """Processes that each try a batch of damaged files, so that none can do harm to this one."""

    def __init__(self, size: int) -> None:
        self.context = multiprocessing.get_context("fork")
        self.size = size
        self.running: list[tuple[Any, Any, str, int, float]] = []

    def begin(
        self, form: str, first: int, count: int, outcomes: Counter[str], failures: list[str]
    ) -> None:
        """Start a batch as soon as there is room."""
        while len(self.running) >= self.size:
            self._collect(outcomes, failures)
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=attempt, args=(form, first, count, theirs))
        process.start()
        theirs.close()
        self.running.append((process, ours, form, first, time.perf_counter()))

    def end(self, outcomes: Counter[str], failures: list[str]) -> None:
        """Wait for all of them."""
        while self.running:
            self._collect(outcomes, failures)

    def _collect(self, outcomes: Counter[str], failures: list[str]) -> None:
        """The oldest: what became of its cases."""
        process, pipe, form, first, began = self.running.pop(0)
        tried = 0
        while True:
            left = began + LONGEST - time.perf_counter()
            if not pipe.poll(max(0.0, left)):
                process.kill()
                failures.append(f"{form}, seed {first + tried}: takes too long")
                break
            try:
                outcome = pipe.recv()
            except EOFError:
                break
            tried += 1
            fine = outcome in ("photo", "read", "")
            outcomes[outcome if fine else "harm"] += 1
            if not fine:
                failures.append(f"{form}, seed {first + tried - 1}: {outcome}")
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            failures.append(f"{form}, seed {first + tried}: takes too long")
        elif process.exitcode not in (0, -9):
            failures.append(f"{form}, seed {first + tried}: ended with {process.exitcode}")


def attempt(form: str, first: int, count: int, pipe: Any) -> None:
    """Read damaged files one after the other; tell of each ``photo``, "" for a sentence, or what
    went wrong."""
    from damage import damage, outcome
    from damaged_records import damage_record, record_outcome, records

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 1))
    data = whole_files()[form]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what decoders say of each is of no interest
    for seed in range(first, first + count):
        try:
            if form in records():
                told = record_outcome(form, damage_record(form, data, seed))
            else:
                told = outcome(damage(data, seed))
        except BaseException as error:  # of what damages files, not of what reads them
            told = f"the bench itself raised {type(error).__name__}: {error}"
        pipe.send(told)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--form", default="")
    parser.add_argument("--log", type=Path)
    return parser.parse_args()


def tell(log: Log, seconds: float, forms: int) -> None:
    """The summary on stdout; exit code 1 where anything did harm."""
    tried, outcomes = log.outcomes.total(), log.outcomes
    print(f"{tried} damaged files of {forms} kinds, {seconds:.0f} s now: ", end="")
    print(f"{outcomes['photo'] + outcomes['read']} were read still,", end=" ")
    print(f"{outcomes['']} were refused, {len(log.failures)} did harm")
    for failure in log.failures:
        print(failure)
    sys.exit(bool(log.failures))


if __name__ == "__main__":
    main()
