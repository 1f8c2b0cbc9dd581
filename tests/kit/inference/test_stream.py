"""Many items through read → work → write: order, errors, and how much is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from intrinsic_cli.api import DataError, IidError, PluginError
from intrinsic_cli.kit.inference.stream import Stream, Workers


class Belt:
    """A stream of numbers that keeps count of what is under way."""

    def __init__(self, workers: Workers) -> None:
        self.lock, self.inside, self.most = threading.Lock(), 0, 0
        self.groups: list[list[int]] = []
        self.stream: Stream[int, int, int, str] = Stream(self.read, self.work, self.write, workers)

    def read(self, item: int) -> int:
        if item % 7 == 5:
            raise DataError(f"{item} is broken")
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        return item

    def work(self, group: Sequence[int]) -> list[int | IidError]:
        self.groups.append(list(group))
        if 8 in group:
            raise PluginError("cannot do 8")
        return [DataError("nothing in it") if x == 23 else -x for x in group]

    def write(self, item: int, loaded: int, made: int) -> str:
        time.sleep(0.002)
        with self.lock:
            self.inside -= 1
        assert made == -loaded == -item
        if item == 17:
            raise IidError("disk full")
        return f"wrote {item}"


@pytest.mark.parametrize(
    "workers",
    [Workers(), Workers(readers=3, batch=4, writers=2), Workers(batch=100), Workers(4, 1, 4)],
)
def test_a_stream_keeps_order_and_loses_nothing(workers: Workers) -> None:
    belt = Belt(workers)
    outcomes = list(belt.stream.run(range(40)))
    assert [item for item, _ in outcomes] == list(range(40))
    failed = {item: str(outcome) for item, outcome in outcomes if isinstance(outcome, IidError)}
    assert failed == {n: f"{n} is broken" for n in (5, 12, 19, 26, 33)} | {
        8: "cannot do 8",
        17: "disk full",
        23: "nothing in it",
    }
    assert all(outcome == f"wrote {item}" for item, outcome in outcomes if item not in failed)
    assert all(len(group) <= workers.batch for group in belt.groups)

    never_written = 2  # 8 and 23
    assert belt.most <= workers.readers + workers.batch + workers.writers + never_written


def test_a_stream_works_on_many_at_once() -> None:
    belt = Belt(Workers(readers=2, batch=4))
    list(belt.stream.run([0, 1, 2, 3, 4, 10, 11, 12, 20]))
    assert belt.groups == [[0, 1, 2, 3], [4, 10, 11], [20]], "12 cannot be read"


def test_a_batch_has_no_more_pixels_than_fit() -> None:
    belt = Belt(Workers(batch=4, pixels=20))
    belt.stream.pixels_of = lambda item: item
    numbers = [9, 10, 2, 30, 1, 2, 3, 4, 6, 5, 20]  # 5 cannot be read
    outcomes = list(belt.stream.run(numbers))
    assert [item for item, _ in outcomes] == numbers
    assert belt.groups == [[9, 10], [2], [30], [1, 2, 3, 4], [6], [20]]


class Writers:
    """Numbers that are written as long as they are large, and how large all were together."""

    def __init__(self, workers: Workers) -> None:
        self.lock = threading.Lock()
        self.now: list[int] = []
        self.seen: list[list[int]] = []
        self.stream: Stream[int, int, int, None] = Stream(
            int, lambda group: list(group), self.write, workers, pixels_of=int
        )

    def write(self, item: int, loaded: int, made: int) -> None:
        with self.lock:
            self.now.append(item)
            self.seen.append(list(self.now))
        time.sleep(0.01)
        with self.lock:
            self.now.remove(item)


def test_no_more_pixels_are_written_at_a_time_than_fit() -> None:
    writers = Writers(Workers(writers=3, written=20))
    numbers = [9, 10, 2, 30, 40, 1, 2, 3, 4, 6, 20]
    assert [item for item, _ in writers.stream.run(numbers)] == numbers
    assert all(len(together) == 1 or sum(together) <= 20 for together in writers.seen)
    assert [30] in writers.seen, "what is too large goes alone"


def test_as_many_are_written_together_as_fit() -> None:
    met = threading.Barrier(2, timeout=30)
    stream: Stream[int, int, int, int] = Stream(
        int,
        lambda group: list(group),
        lambda item, loaded, made: met.wait(),
        Workers(writers=2, written=20),
        pixels_of=int,
    )
    assert len(list(stream.run([9, 10, 11, 9]))) == 4


def test_a_stream_given_up_stops_reading() -> None:
    belt = Belt(Workers())
    run = belt.stream.run(range(10**6))
    assert next(run)[0] == 0
    run.close()
    assert belt.most < 5
