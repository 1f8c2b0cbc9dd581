"""Writing behind the work keeps order, bounds what waits, and tells what went wrong."""

from __future__ import annotations

import threading

import pytest

from intrinsic_cli.kit.inference.write_behind import WriteBehind


def test_steps_end_in_the_order_in_which_they_came() -> None:
    written: list[object] = []
    first_may_end = threading.Event()

    def slow() -> int:
        assert first_may_end.wait(10)
        return 0

    def quick() -> int:
        first_may_end.set()
        return 1

    with WriteBehind(2) as behind:
        behind.add(slow, written.append)
        behind.add(quick, written.append)
        behind.then(lambda: written.append("part"))
        behind.add(lambda: 2, written.append)
        behind.finish()
    assert written == [0, 1, "part", 2]


def test_encoding_does_not_wait_for_the_caller() -> None:
    """Else network and files would take turns."""
    started, may_end = threading.Event(), threading.Event()

    def encode() -> int:
        started.set()
        assert may_end.wait(10)
        return 0

    with WriteBehind(1) as behind:
        behind.add(encode, lambda encoded: None)
        assert started.wait(10)
        may_end.set()


def test_not_more_than_a_few_wait() -> None:
    written: list[int] = []
    with WriteBehind(1) as behind:
        for number in range(20):
            behind.add(lambda number=number: number, written.append)
            assert number - len(written) <= 2
    assert written == list(range(20))


def test_after_an_error_nothing_is_written() -> None:
    written: list[int] = []

    def full() -> int:
        raise OSError("No space left on device")

    def go() -> None:
        with WriteBehind(2) as behind:
            behind.add(lambda: 1, written.append)
            behind.add(full, written.append)
            behind.add(lambda: 3, written.append)
            behind.then(lambda: written.append(4))
            behind.finish()

    with pytest.raises(OSError, match="No space"):
        go()
    assert written == [1]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("iid-enc")]
