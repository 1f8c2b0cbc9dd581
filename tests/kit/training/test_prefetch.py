"""Prefetching changes nothing but the time it takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from intrinsic_cli.kit.training.prefetch import THREAD, prefetch


def test_same_items_same_order() -> None:
    assert list(prefetch(range(100))) == list(range(100))


def test_errors_surface_in_their_place() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise RuntimeError("no more")

    stream = prefetch(failing())
    assert next(stream) == 1
    with pytest.raises(RuntimeError, match="no more"):
        next(stream)


def test_closing_ends_the_thread() -> None:
    stream = prefetch(iter(int, 1))  # never ends
    next(stream)
    stream.close()
    assert not any(thread.name == THREAD for thread in threading.enumerate())
