"""Many items through read → work → write, with reading and writing in threads and little held in
memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from intrinsic_cli.api import IidError

Item = TypeVar("Item")
Read = TypeVar("Read")
Made = TypeVar("Made")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class Crew:
    """How many photos are decoded ahead, worked on together, and encoded behind. Each holds whole
    photos in memory."""

    readers: int = 1
    batch: int = 1
    writers: int = 1


@dataclass(slots=True)
class Stream(Generic[Item, Read, Made, Written]):
    """``read`` and ``write`` run in threads, ``work`` in the caller's, on up to ``crew.batch``
    items whose ``key`` agrees. An IidError stops its own item only."""

    read: Callable[[Item], Read]
    work: Callable[[Sequence[Read]], Sequence[Made]]
    write: Callable[[Item, Read, Made], Written]
    key: Callable[[Read], Hashable]
    crew: Crew

    def run(self, items: Sequence[Item]) -> Iterator[tuple[Item, Written | IidError]]:
        """Each item with what ``write`` returned or what went wrong, in order."""
        readers = ThreadPoolExecutor(self.crew.readers, "iid-read")
        writers = ThreadPoolExecutor(self.crew.writers, "iid-write")
        pending: deque[tuple[Item, Future[Written]]] = deque()
        try:
            for group in self._groups(items, readers):
                pending.extend(self._work(group, writers))
                yield from _drain(pending, self.crew.writers)
            yield from _drain(pending, 0)
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown(cancel_futures=True)

    def _groups(
        self, items: Sequence[Item], pool: ThreadPoolExecutor
    ) -> Iterator[list[tuple[Item, Read | IidError]]]:
        """Items as read, together as long as their keys agree."""
        group: list[tuple[Item, Read | IidError]] = []
        keys: list[Hashable] = []
        for item, loaded in self._read_ahead(items, pool):
            key = None if isinstance(loaded, IidError) else self.key(loaded)
            if group and (len(group) == self.crew.batch or [key] != keys[-1:]):
                yield group
                group, keys = [], []
            group.append((item, loaded))
            keys.append(key)
            if self.crew.batch == 1:  # nothing to wait for
                yield group
                group, keys = [], []
        if group:
            yield group

    def _read_ahead(
        self, items: Sequence[Item], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Item, Read | IidError]]:
        source = iter(items)
        ahead = deque(
            (item, pool.submit(self.read, item)) for item in islice(source, self.crew.readers)
        )
        while ahead:
            done = _first(ahead)
            ahead.extend((item, pool.submit(self.read, item)) for item in islice(source, 1))
            yield done

    def _work(
        self, group: list[tuple[Item, Read | IidError]], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Item, Future[Written]]]:
        good = [(item, loaded) for item, loaded in group if not isinstance(loaded, IidError)]
        for item, loaded in group:
            if isinstance(loaded, IidError):
                yield item, _failed(loaded)
        try:
            made = self.work([loaded for _, loaded in good]) if good else []
        except IidError as error:
            if len(good) == 1:
                yield good[0][0], _failed(error)
                return
            for pair in good:  # one of them is to blame: find out which
                yield from self._work([pair], pool)
            return
        for (item, loaded), result in zip(good, made, strict=True):
            yield item, pool.submit(self.write, item, loaded, result)


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


def _failed(error: IidError) -> Future[Written]:
    future: Future[Written] = Future()
    future.set_exception(error)
    return future
