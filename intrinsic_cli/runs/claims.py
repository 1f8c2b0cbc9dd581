"""A place for outputs, or the folder of a run, belongs to one process at a time.

A claim is a file beside the outputs, made in the one way in which only one process can succeed. Its
owner touches it every few seconds. It is taken over when its owner is a process of this machine
that is dead, or when nobody has touched it for long; how long is counted by the clock of whoever
waits, so that clocks of machines need not agree.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from intrinsic_cli.kit.files.atomic import HOST, PREFIX, is_alive, sweep

LOCK = f"{PREFIX}lock-"
TOUCH = 15.0  # seconds between two signs of life
STALE = 120.0  # seconds without one after which a claim may be taken over
EMPTY = 5.0  # the same for a claim without a name: its owner was killed while making it


class Claims:
    """The claims of this run, held until they are released; a context that releases them all."""

    def __init__(self) -> None:
        # Processes may share a number on two machines, and threads share theirs.
        self._mine = f"{HOST} {os.getpid()} {uuid.uuid4().hex}"
        self._held: dict[Path, Path] = {}
        self._seen: dict[Path, tuple[object, float]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._toucher: threading.Thread | None = None

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        for base in list(self._held):
            self.release(base)

    def take(self, base: Path) -> bool:
        """Whether nobody else who asks will write files that begin with ``base`` until it is
        released."""
        path = claim_file(base)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._make(path) and not self._take_over(path):
            return False
        with self._lock:
            self._held[base] = path
            self._seen.pop(path, None)
            if self._toucher is None:
                self._toucher = threading.Thread(target=self._touch, daemon=True)
                self._toucher.start()
        return True

    def holds(self, base: Path) -> bool:
        """Is the claim still this run's? (One that slept for long may have lost it.)"""
        path = self._held.get(base)
        return path is not None and _read(path) == self._mine

    def release(self, base: Path) -> None:
        """Let others have ``base``; nothing happens where it is not held."""
        with self._lock:
            path = self._held.pop(base, None)
        if path is not None:
            self._remove(path, lambda claim: _read(claim) == self._mine)

    def sweep(self, folders: Iterable[Path]) -> None:
        """Remove what killed runs left in ``folders``: claims that nobody holds any more, and files
        half-written. One that is gone is passed over."""
        for folder in folders:
            with contextlib.suppress(OSError):
                self._sweep(folder)
                sweep(folder)

    def _sweep(self, folder: Path) -> None:
        for path in folder.glob(f"{LOCK}*"):
            if self._is_stale(path):
                self._remove(path, self._is_stale)

    def _make(self, path: Path) -> bool:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(self._mine)
        return True

    def _remove(self, path: Path, is_due: Callable[[Path], bool]) -> None:
        with contextlib.suppress(OSError), _guarded(path) as is_there:
            if is_there and is_due(path):
                path.unlink()

    def _take_over(self, path: Path) -> bool:
        """Replace the owner of a claim that nobody holds any more."""
        if not self._is_stale(path):
            return False
        with contextlib.suppress(OSError), _guarded(path) as is_there:
            if is_there and self._is_stale(path):
                path.write_text(self._mine, encoding="utf-8")
                return True
        return False

    def _is_stale(self, path: Path) -> bool:
        owner = _read(path)
        if owner and _is_dead(owner):
            return True
        try:
            sign = (owner, path.stat().st_mtime_ns)
        except OSError:  # released in the meantime
            return False
        now = time.monotonic()
        seen, since = self._seen.setdefault(path, (sign, now))
        if seen != sign:
            self._seen[path] = (sign, now)
            return False
        return now - since > (STALE if owner else EMPTY)

    def _touch(self) -> None:
        while not self._closed.wait(TOUCH):
            with self._lock:
                paths = list(self._held.values())
            for path in paths:
                with contextlib.suppress(OSError):
                    os.utime(path)


def is_fresh(base: Path) -> bool:
    """Did whoever holds ``base`` give a sign of life just now, as far as this clock can tell?"""
    try:
        touched = claim_file(base).stat().st_mtime
    except OSError:
        return False
    return time.time() - touched < 2 * TOUCH


def claim_file(base: Path) -> Path:
    """The file that says that ``base`` is claimed."""
    return base.with_name(f"{LOCK}{base.name}")


@contextmanager
def _guarded(path: Path) -> Iterator[bool]:
    """Of all who want to remove or replace a claim one is in the block; whether the claim is still
    there. The system ends the turn of a process that is killed. OSError where there is none."""
    with path.open("rb") as file:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        opened = os.fstat(file.fileno())
        try:
            found = path.stat()
        except FileNotFoundError:
            yield False
            return
        yield (opened.st_dev, opened.st_ino) == (found.st_dev, found.st_ino)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _is_dead(owner: str) -> bool:
    """Is it a process of this machine that has ended?"""
    host, _, rest = owner.partition(" ")
    process = rest.partition(" ")[0]
    if host != HOST or os.name != "posix" or not process.isdecimal():
        return False
    return not is_alive(int(process))
