"""Processes that train together agree on weights, gradients and when to stop."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from together import Fatal, dawdle, lead_dawdlers, meet, tell_signals

from intrinsic_cli.api import TrainingError
from intrinsic_cli.kit.files.atomic import is_alive
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.process_group import joined, started


def test_two_processes_agree(tmp_path: Path) -> None:
    with started(2, meet, (tmp_path,)) as processes:
        assert (processes.rank, processes.count) == (0, 2)
        meet(processes, tmp_path)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert found["leads"] == (rank == 0)
        assert found["shared"]["weight"].tolist() == [[10.0, 10.0]], "those of the leading one"
        assert found["shared"]["bias"].tolist() == [20.0]
        assert found["weight"].tolist() == [[1.5, 3.0]], "the mean, of each its own"
        assert found["bias"].tolist() == [6.0]
        assert found["one"] is True
        assert found["none"] is False


def test_one_process_agrees_with_itself(tmp_path: Path) -> None:
    with started(1, meet, (tmp_path,)) as processes:
        assert isinstance(processes, Processes)
        meet(processes, tmp_path)
    found = torch.load(tmp_path / "0.pt")
    assert found["shared"]["weight"].tolist() == [[10.0, 10.0]]
    assert found["weight"].tolist() == [[1.0, 2.0]]
    assert (found["one"], found["none"]) == (False, False)


class Network:
    """Refers to itself, as networks that are trained together do."""

    def __init__(self) -> None:
        self.whole = self


def test_networks_are_let_go_with_the_group(tmp_path: Path) -> None:
    gc.disable()
    try:
        with joined(0, 1, (tmp_path / "address").as_uri(), 1) as processes:
            assert processes.here == 1
            left = weakref.ref(Network())
            assert left() is not None
        assert left() is None
    finally:
        gc.enable()


def until(true: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.name != "posix", reason="asks for processes by number")
def test_no_process_outlives_a_leader_that_is_killed(tmp_path: Path) -> None:
    leader = multiprocessing.get_context("spawn").Process(target=lead_dawdlers, args=(tmp_path,))
    leader.start()
    other = tmp_path / "1.pid"
    until(other.exists)
    leader.kill()
    leader.join()
    until(lambda: not is_alive(int(other.read_text())))


@pytest.mark.skipif(os.name != "posix", reason="asks for processes by number")
def test_no_process_outlives_a_leader_that_fails(tmp_path: Path) -> None:
    other = tmp_path / "1.pid"

    def fail() -> None:
        with started(2, dawdle, (tmp_path,)):
            until(other.exists)
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        fail()
    assert not is_alive(int(other.read_text()))


def test_one_that_ends_before_the_meeting_is_not_waited_for() -> None:
    with (
        pytest.raises(TrainingError, match=r"process 1 of --nproc ended as it began \(3\)"),
        started(2, meet, (Fatal(),)),
    ):
        pass


def test_a_terminal_s_ctrl_c_is_for_the_leader(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with started(2, tell_signals, (tmp_path,)) as processes:
        assert signal.getsignal(signal.SIGINT) is before
        tell_signals(processes, tmp_path)
    told = [(tmp_path / f"{rank}.ignores").read_text() for rank in (0, 1)]
    assert told == ["False", "True"]
