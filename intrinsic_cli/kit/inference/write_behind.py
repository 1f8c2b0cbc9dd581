"""Results written while the next are being made, in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Encoded = TypeVar("Encoded")


class WriteBehind:
    """Takes steps that write: some ``encode`` in ``writers`` threads at a time, each followed by
    one of which only a single one runs, in order. Not more than a few wait; whoever hands in more
    waits for them. After an error nothing is written any more, and whoever comes next gets it. A
    context, which ends when all that was handed in is written."""

    def __init__(self, writers: int) -> None:
        self._encoders = ThreadPoolExecutor(writers, "iid-encode")
        self._writer = ThreadPoolExecutor(1, "iid-write")
        self._pending: deque[Future[None]] = deque()
        self._most = writers + 1
        self._failed = False

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(self, *error: object) -> None:
        self._encoders.shutdown()
        self._writer.shutdown()

    def add(self, encode: Callable[[], Encoded], put: Callable[[Encoded], None]) -> None:
        """``encode`` soon, ``put`` what it returns after all that came before."""
        encoded = self._encoders.submit(encode)
        self._hand_in(lambda: put(encoded.result()))

    def then(self, step: Callable[[], None]) -> None:
        """``step`` after all that came before."""
        self._hand_in(step)

    def finish(self) -> None:
        """Wait for all of it."""
        self._wait(0)

    def _hand_in(self, step: Callable[[], None]) -> None:
        self._pending.append(self._writer.submit(self._run, step))
        self._wait(self._most)

    def _run(self, step: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            step()
        except BaseException:
            self._failed = True
            raise

    def _wait(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.popleft().result()
