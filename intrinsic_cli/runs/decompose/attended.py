"""Results of a service that may die: while they are waited for, it is asked whether it still lives.

Who waits inside a library is told of that late or never, or ends with the service.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

Result = TypeVar("Result")

#: Seconds between two questions, and until one counts as not answered.
PULSE = 1.0


@dataclass(slots=True)
class Service:
    """A program that listens at ``address`` (host, port). It is gone when it has refused to answer
    for ``patience`` seconds; one that is slow is not."""

    name: str
    address: tuple[str, int]
    patience: float = 2 * PULSE
    refused_since: float | None = None

    def is_gone(self) -> bool:
        """Asks it once."""
        try:
            with socket.create_connection(self.address, PULSE):
                self.refused_since = None
        except ConnectionRefusedError:
            now = time.monotonic()
            if self.refused_since is None:
                self.refused_since = now
            return now - self.refused_since >= self.patience
        except OSError:  # too busy, or a firewall: nobody knows
            self.refused_since = None
        return False


class ServiceGoneError(Exception):
    """The ``service`` that makes the results has died."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.name)
        self.service = service


def attended(results: Iterable[Result], services: Sequence[Service]) -> Iterator[Result]:
    """``results`` as they come, fetched by a thread of their own. ServiceGoneError where none come
    and a service is gone."""
    fetcher = _Fetcher(results)
    try:
        while True:
            try:
                found = fetcher.found.get(timeout=PULSE)
            except Empty:
                _require(services)
                continue
            if isinstance(found, _End):
                if found.error is not None:
                    raise found.error
                return
            yield found
    finally:
        fetcher.ended.set()


def _require(services: Sequence[Service]) -> None:
    for service in services:
        if service.is_gone():
            raise ServiceGoneError(service)


@dataclass(frozen=True, slots=True)
class _End:
    """No more results: they are at an end, or this went wrong."""

    error: BaseException | None = None


class _Fetcher(Generic[Result]):
    """Waits for results in a thread that may be left waiting for ever."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.results = results
        self.found: SimpleQueue[Result | _End] = SimpleQueue()
        self.ended = Event()
        Thread(target=self._run, name="iid-results", daemon=True).start()

    def _run(self) -> None:
        try:
            for result in self.results:
                self.found.put(result)
                if self.ended.is_set():
                    break
            self.found.put(_End())
        except BaseException as error:  # raised again where the results are waited for
            self.found.put(_End(error))
