"""Damaged files at the decoders' front door: how many, how fast, and whether any does harm.

python tests/bench/bench_damaged_files.py [--cases N] [--seconds 600] [--processes 2]

Whatever is done to a file, the answer has to be a photo or a sentence (DataError). A case that
raises anything else, kills its process or takes longer than a minute is named with the file it was
made of and its seed, by which it can be repeated: --form NAME --seed N --cases 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "kit" / "files"))

#: Cases that a process does before it tells; of these one is looked for where it died.
BATCH = 50
#: Seconds after which a process counts as stuck.
PATIENCE = 60.0


def main() -> None:
    """Try, and tell."""
    args = parse()
    from damage import seeds

    forms = [args.form] if args.form else list(seeds())
    begin = time.perf_counter()
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    number = 0
    pool = Pool(args.processes)
    while number < args.cases and time.perf_counter() - begin < args.seconds:
        form = forms[number // BATCH % len(forms)]
        first = args.seed + number // BATCH // len(forms) * BATCH
        count = min(BATCH, args.cases - number)
        pool.begin(form, first, count, outcomes, failures)
        number += count
    pool.end(outcomes, failures)
    tell(outcomes, failures, time.perf_counter() - begin, len(forms))


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
            left = began + PATIENCE - time.perf_counter()
            if not pipe.poll(max(0.0, left)):
                process.kill()
                failures.append(f"{form}, seed {first + tried}: takes too long")
                break
            try:
                outcome = pipe.recv()
            except EOFError:
                break
            tried += 1
            outcomes[outcome if outcome in ("photo", "") else "harm"] += 1
            if outcome not in ("photo", ""):
                failures.append(f"{form}, seed {first + tried - 1}: {outcome}")
        process.join()
        if process.exitcode not in (0, -9):
            failures.append(f"{form}, seed {first + tried}: ended with {process.exitcode}")


def attempt(form: str, first: int, count: int, pipe: Any) -> None:
    """Read damaged files one after the other; tell of each ``photo``, "" for a sentence, or what
    went wrong."""
    from damage import damage, seeds
    from damage import outcome as outcome_of

    data = seeds()[form]
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what decoders say of each is of no interest
    for seed in range(first, first + count):
        pipe.send(outcome_of(damage(data, seed)))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--form", default="")
    return parser.parse_args()


def tell(outcomes: Counter[str], failures: list[str], seconds: float, forms: int) -> None:
    """The summary on stdout; exit code 1 where anything did harm."""
    tried = outcomes.total()
    print(f"{tried} damaged files of {forms} kinds in {seconds:.0f} s: ", end="")
    print(f"{outcomes['photo']} were photos still, {outcomes['']} got a sentence,", end=" ")
    print(f"{len(failures)} did harm")
    for failure in failures:
        print(failure)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
