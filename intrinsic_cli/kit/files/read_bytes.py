"""Reading files that strangers name: only regular ones, and none too large. Light."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.memory import memory
from intrinsic_cli.kit.files.os_errors import advice, missing, reason, why_missing

#: For opening: of a pipe that nobody writes to it must not wait. (Windows has no such pipes.)
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """All of a regular file of at most ``most`` bytes (None: a quarter of memory). DataError, which
    does not name the file, for everything else: folders, pipes and devices, which may never end."""
    most = memory() // 4 if most is None else most
    try:
        with open(os.open(path, FLAGS), "rb") as file:  # noqa: PTH123  pathlib knows no flags
            status = os.fstat(file.fileno())
            _check(status, most)
            return file.read(status.st_size)  # more would be asked of the system beforehand
    except FileNotFoundError as error:
        raise DataError(why_missing(path), missing(path)) from error
    except OSError as error:
        raise DataError(reason(error), advice(error)) from error
    except ValueError as error:  # a zero byte in the name
        raise DataError(str(error), "no file has such a name") from error


def _check(status: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for matches, name in _KINDS if matches(status.st_mode)), "no file")
        hint = "only files are read; a photo from a pipe is given with - on standard input"
        raise DataError(f"it is {kind}, not a file", hint)
    if status.st_size > most:
        size = f"{status.st_size / 2**20:.0f} MiB"
        raise DataError(f"it has {size}, more than iid reads at once", "is it really a picture?")
