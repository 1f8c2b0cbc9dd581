"""A place for outputs belongs to one process at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrinsic_cli.api import IidError
from intrinsic_cli.kit.files.atomic import HOST, PREFIX, is_alive


@contextmanager
def claimed(base: Path) -> Iterator[None]:
    """Nobody else who asks writes files that begin with ``base`` until the block ends. IidError
    where somebody does."""
    lock = base.with_name(f"{PREFIX}lock-{base.name}")
    lock.parent.mkdir(parents=True, exist_ok=True)
    if not _take(lock):
        _drop_abandoned(lock)
        if not _take(lock):
            message = f"another run of iid is writing to {base} just now"
            raise IidError(message, "choose another -o folder, or run this one again later")
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> bool:
    """Make the file, unless it is there: the one way in which only one process can succeed."""
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{HOST} {os.getpid()}")
    return True


def _drop_abandoned(lock: Path) -> None:
    """Remove the lock of a process of this machine that was killed."""
    with contextlib.suppress(OSError, ValueError):
        host, _, process = lock.read_text(encoding="utf-8").rpartition(" ")
        if host == HOST and os.name == "posix" and not is_alive(int(process)):
            lock.unlink()
