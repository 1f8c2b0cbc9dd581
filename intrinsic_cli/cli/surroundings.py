"""What a process finds when it starts: streams that may be closed or full, a folder that may be
gone."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import IO, Any

from intrinsic_cli.api import IidError

STDIN, STDOUT, STDERR = range(3)


def open_streams() -> None:
    """Make the streams fit for use, once, before anything is printed.

    IidError where stdout is closed: the results would be lost.
    """
    closed = _occupy_what_is_closed()
    if STDIN in closed:
        sys.stdin = _stream(STDIN, "r")
    sys.stderr = Forgiving(_stream(STDERR, "wb"), encoding="utf-8", errors="backslashreplace")
    if STDOUT in closed:
        sys.stdout = _stream(STDOUT, "w")
        raise IidError("stdout is closed", "send it to /dev/null if nobody reads it")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name may be any bytes, and comes out as it went in.
        sys.stdout.reconfigure(errors="surrogateescape")


def check_folder() -> None:
    """IidError where the working folder was removed: there are no relative paths, and torch ends
    the process when it is imported."""
    try:
        os.getcwd()  # noqa: PTH109  asked for its error only
    except OSError as error:
        raise IidError("the working folder does not exist any more", "cd to another") from error


def silence(stream: IO[str]) -> None:
    """Point a stream nowhere, so that the interpreter's last flush stays quiet."""
    with suppress(OSError):  # a stream without a descriptor has nothing to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Forgiving(io.TextIOWrapper):
    """stderr that may be full: what nobody can read must not stop the work."""

    def write(self, text: str) -> int:
        """Write, and flush each line."""
        with suppress(OSError):
            super().write(text)
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Flush; where that fails, the stream leads nowhere from now on."""
        try:
            super().flush()
        except OSError:
            silence(self)


def _occupy_what_is_closed() -> list[int]:
    """The closed descriptors, which now lead nowhere: else the next file that is opened would get
    one of them, and all that is printed."""
    closed = []
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            closed.append(descriptor)
    return closed


def _stream(descriptor: int, mode: str) -> Any:
    return open(descriptor, mode, closefd=False)
