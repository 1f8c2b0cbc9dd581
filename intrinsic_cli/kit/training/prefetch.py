"""Work done ahead of time on a thread, so that the network does not wait for its data."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterable[T], depth: int = 3) -> Generator[T, None, None]:
    """The same items in the same order, made up to ``depth`` ahead. Errors surface where the item
    would have."""
    ready: queue.Queue[object] = queue.Queue(depth)
    closed = threading.Event()

    def offer(item: object) -> bool:
        while not closed.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not offer(item):
                    return
            offer(_END)
        except BaseException as error:  # handed to the consumer
            offer(_Failure(error))

    thread = threading.Thread(target=work, name="iid-ahead", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]  # the queue also carries the two marks above
    finally:
        closed.set()
        thread.join()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error
