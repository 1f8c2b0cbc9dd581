"""Results of a service that may die: they come as they are, and an end comes where it is gone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from intrinsic_cli.runs.decompose import attended as module
from intrinsic_cli.runs.decompose.attended import Service, ServiceGoneError, attended


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULSE", 0.05)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def service(listener: socket.socket) -> Service:
    return Service("it", listener.getsockname(), patience=0.1)


def test_results_come_in_order(listener: socket.socket) -> None:
    assert list(attended(range(100), [service(listener)])) == list(range(100))


def test_errors_come_through(listener: socket.socket) -> None:
    def results() -> Iterator[int]:
        yield 1
        raise OSError("broken")

    coming = attended(results(), [service(listener)])
    assert next(coming) == 1
    with pytest.raises(OSError, match="broken"):
        next(coming)


def test_the_end_comes_where_the_service_has_died(listener: socket.socket) -> None:
    forever = threading.Event()

    def results() -> Iterator[int]:
        yield 1
        forever.wait()

    coming = attended(results(), [service(listener)])
    assert next(coming) == 1
    listener.close()
    begin = time.monotonic()
    with pytest.raises(ServiceGoneError, match="it"):
        next(coming)
    assert 0.1 <= time.monotonic() - begin < 10
    forever.set()


def test_a_slow_service_is_waited_for(listener: socket.socket) -> None:
    def results() -> Iterator[int]:
        time.sleep(0.5)
        yield 1

    assert list(attended(results(), [service(listener)])) == [1]


def test_one_that_comes_back_is_not_gone(listener: socket.socket) -> None:
    asked = service(listener)
    listener.close()
    assert not asked.is_gone()
    with socket.create_server(asked.address):
        assert not asked.is_gone()
    assert not asked.is_gone()
    time.sleep(0.12)
    assert asked.is_gone()


def test_nothing_more_is_fetched_when_nobody_waits(listener: socket.socket) -> None:
    fetched: list[int] = []
    taken = threading.Event()

    def results() -> Iterator[int]:
        for number in range(100):
            fetched.append(number)
            yield number
            taken.wait(10)

    coming = attended(results(), [service(listener)])
    assert next(coming) == 0
    coming.close()  # type: ignore[attr-defined]  # a generator
    taken.set()
    time.sleep(0.2)
    assert len(fetched) <= 2
