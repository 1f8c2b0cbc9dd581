"""Many items through read → work → write, with reading and writing in threads and little held in
memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from threading import Condition
from typing import Any, Generic, TypeVar

from intrinsic_cli.api import IidError

Item = TypeVar("Item")
Read = TypeVar("Read")
Made = TypeVar("Made")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class Workers:
    """How many items are read ahead, worked on together, and written behind. Each may hold a whole
    photo in memory. Those worked on together have at most so many ``pixels``, those that are being
    written so many ``written`` ones (None: any number), unless it is one."""

    readers: int = 1
    batch: int = 1
    writers: int = 1
    pixels: int | None = None
    written: int | None = None


class Gate:
    """Lets steps run at a time that take no more than ``most`` together (None: all), or one."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._taken: list[int] = []
        self._change = Condition()

    @contextmanager
    def passed(self, size: int) -> Iterator[None]:
        """Waits until there is room for ``size`` more."""
        with self._change:
            self._change.wait_for(lambda: self._fits(size))
            self._taken.append(size)
        try:
            yield
        finally:
            with self._change:
                self._taken.remove(size)
                self._change.notify_all()

    def _fits(self, size: int) -> bool:
        alone = not self._taken
        return alone or self._most is None or sum(self._taken) + size <= self._most


@dataclass(slots=True)
class Stream(Generic[Item, Read, Made, Written]):
    """``read`` and ``write`` run in threads, ``work`` in the caller's, on up to ``workers.batch``
    items at a time; ``pixels_of`` tells how large one is. An IidError stops its own item only; one
    that ``work`` raises for several is tracked down by giving them to it one by one."""

    read: Callable[[Item], Read]
    work: Callable[[Sequence[Read]], Sequence[Made | IidError]]
    write: Callable[[Item, Read, Made], Written]
    workers: Workers
    pixels_of: Callable[[Read], int] = lambda item: 0
    _gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self._gate = Gate(self.workers.written)

    def run(self, items: Sequence[Item]) -> Generator[tuple[Item, Written | IidError], None, None]:
        """Each item with what ``write`` returned or what went wrong, in order."""
        readers = ThreadPoolExecutor(self.workers.readers, "iid-read")
        writers = ThreadPoolExecutor(self.workers.writers, "iid-write")
        pending: deque[tuple[Item, Future[Written]]] = deque()
        try:
            for group in self._groups(items, readers):
                pending.extend(self._work(group, writers))
                yield from _drain(pending, self.workers.writers)
            yield from _drain(pending, 0)
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown(cancel_futures=True)

    def _groups(
        self, items: Sequence[Item], pool: ThreadPoolExecutor
    ) -> Iterator[list[tuple[Item, Read | IidError]]]:
        """Items as read, as many together as are worked on."""
        group: list[tuple[Item, Read | IidError]] = []
        pixels = 0
        for item, loaded in self._read_ahead(items, pool):
            more = 0 if isinstance(loaded, IidError) else self.pixels_of(loaded)
            if group and self._exceeds(pixels + more):
                yield group
                group, pixels = [], 0
            group.append((item, loaded))
            pixels += more
            if len(group) == self.workers.batch:
                yield group
                group, pixels = [], 0
        if group:
            yield group

    def _exceeds(self, pixels: int) -> bool:
        """Are so many more than may be worked on together?"""
        return self.workers.pixels is not None and pixels > self.workers.pixels

    def _read_ahead(
        self, items: Sequence[Item], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Item, Read | IidError]]:
        source = iter(items)
        coming: deque[tuple[Item, Future[Read]]] = deque()
        for item in islice(source, self.workers.readers):
            coming.append((item, pool.submit(self.read, item)))
        while coming:
            done = _first(coming)
            for item in islice(source, 1):
                coming.append((item, pool.submit(self.read, item)))
            yield done

    def _work(
        self, group: Sequence[tuple[Item, Read | IidError]], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Item, Future[Written]]]:
        """What becomes of the items of one group, in order."""
        good = [loaded for _, loaded in group if not isinstance(loaded, IidError)]
        try:
            made = iter(self.work(good) if good else ())
        except IidError as error:
            if len(good) > 1:  # one of them is to blame: find out which
                for pair in group:
                    yield from self._work([pair], pool)
                return
            made = iter([error])
        for item, loaded in group:
            if isinstance(loaded, IidError):
                yield item, _failed(loaded)
                continue
            result = next(made)
            if isinstance(result, IidError):
                yield item, _failed(result)
            else:
                yield item, pool.submit(self._write, item, loaded, result)

    def _write(self, item: Item, loaded: Read, made: Made) -> Written:
        with self._gate.passed(self.pixels_of(loaded)):
            return self.write(item, loaded, made)


def _drain(
    queue: deque[tuple[Item, Future[Written]]], leave: int
) -> Iterator[tuple[Item, Written | IidError]]:
    while len(queue) > leave:
        done = _first(queue)
        yield done


def _first(queue: deque[tuple[Item, Future[Written]]]) -> tuple[Item, Written | IidError]:
    """Wait for the oldest of ``queue`` and take it out."""
    item, future = queue.popleft()
    try:
        return item, future.result()
    except IidError as error:
        return item, error


def _failed(error: IidError) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
