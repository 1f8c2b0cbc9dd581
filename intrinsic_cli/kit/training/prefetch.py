"""Batches made ahead of time on a thread, so that the network does not wait for its data."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

THREAD = "iid-prefetch"
_END = object()


class _Failure:
    """An error on its way to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def prefetch(items: Iterable[T], depth: int = 3) -> Generator[T, None, None]:
    """The same items in the same order, up to ``depth`` of them made before they are asked for.
    Errors surface where the item would have."""
    ready: queue.Queue[object] = queue.Queue(depth)
    closed = threading.Event()
    thread = threading.Thread(target=_fill, args=(ready, items, closed), name=THREAD, daemon=True)
    thread.start()
    try:
        while True:
            item = ready.get()
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]  # the queue also carries the two marks above
    finally:
        closed.set()
        thread.join()


def _fill(ready: queue.Queue[object], items: Iterable[object], closed: threading.Event) -> None:
    try:
        for item in items:
            _put(ready, item, closed)
            if closed.is_set():
                return
        _put(ready, _END, closed)
    except BaseException as error:  # handed to the consumer
        _put(ready, _Failure(error), closed)


def _put(ready: queue.Queue[object], item: object, closed: threading.Event) -> None:
    """Wait for room; give up when nobody will ever take the item."""
    while not closed.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return
