"""What libraries print while they decode, kept out of the program's own output.

Two ways. The OpenEXR package prints through ``sys.stdout``: that of the decoding thread alone is
dropped. C libraries (libtiff, libpng, OpenEXR's core) write to descriptor 2, some to 1. They cannot
be told from Python's own writing unless Python writes elsewhere: a program that wants this calls
:func:`separate_streams` once, before any thread starts. From then on descriptor 1 belongs to C
libraries and goes where errors go, so that nothing but results is ever in stdout; and what comes
through descriptor 2 during :func:`decoding` is kept for :func:`take_noise`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, TextIO, TypeGuard

_LINES = 100  # of noise kept
_PLACE = re.compile(r"^\S*\.(exr|tif): ")  # the name of a temporary file, different each time


class _Noise:
    """Shared by all threads, under ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.silent: set[int | None] = set()  # threads whose prints are dropped
        self.separate = False
        self.decoding = 0  # threads that decode now
        self.stderr = -1  # where descriptor 2 went before they began
        self.file: Any = None
        self.lines: dict[str, None] = {}  # in order, each once


_NOISE = _Noise()


class _Filter:
    """A stream as it was, but for what silent threads write."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if threading.get_ident() in _NOISE.silent:
            return len(text)
        return self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def without_prints(threads: Iterable[threading.Thread] | None = None) -> Iterator[None]:
    """What ``threads`` (None: this one) print to ``sys.stdout`` in the block is dropped; that of
    others is not."""
    silent = [threading.current_thread()] if threads is None else threads
    dropped = {thread.ident for thread in silent}
    with _NOISE.lock:
        _NOISE.silent |= dropped
        if sys.stdout is not None and not isinstance(sys.stdout, _Filter):
            sys.stdout = _Filter(sys.stdout)
    try:
        yield
    finally:
        with _NOISE.lock:
            _NOISE.silent -= dropped
            if not _NOISE.silent and isinstance(sys.stdout, _Filter):
                sys.stdout = sys.stdout.stream


def separate_streams() -> None:
    """Let Python write to stdout and stderr through descriptors of its own; descriptor 1 becomes
    another stderr. Nothing happens where they have been replaced already (in tests, by a host)."""
    with _NOISE.lock:
        stdout, stderr = sys.stdout, sys.stderr
        if _NOISE.separate or not (_is_real(stdout, 1) and _is_real(stderr, 2)):
            return
        sys.stdout, sys.stderr = _moved(stdout), _moved(stderr)
        os.dup2(2, 1)
        _NOISE.separate = True


@contextmanager
def without_complaints() -> Iterator[None]:
    """What C libraries write to descriptors 1 and 2 in the block is dropped, if the streams are
    separate; what Python writes is not."""
    if not _NOISE.separate:
        yield
        return
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in kept:
        os.dup2(nowhere, number)
    os.close(nowhere)
    try:
        yield
    finally:
        for number, before in kept.items():
            os.dup2(before, number)
            os.close(before)


def _is_real(stream: Any, descriptor: int) -> TypeGuard[TextIOWrapper]:
    try:
        return isinstance(stream, TextIOWrapper) and stream.fileno() == descriptor
    except (OSError, ValueError):  # closed, or in memory only
        return False


def _moved(stream: TextIOWrapper) -> TextIOWrapper:
    """The same stream, of the same class, on another descriptor."""
    stream.flush()
    binary = open(os.dup(stream.fileno()), "wb")  # noqa: PTH123, SIM115  open to the end
    return type(stream)(
        binary,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


@contextmanager
def decoding() -> Iterator[None]:
    """Around every decoder: what C libraries write to stderr in the block is kept, if the streams
    are separate."""
    begun = _begin()
    try:
        yield
    finally:
        if begun:
            _end()


def _begin() -> bool:
    with _NOISE.lock:
        if not _NOISE.separate:
            return False
        if not _NOISE.decoding:
            _NOISE.file = tempfile.TemporaryFile()  # noqa: SIM115  closed in _end
            _NOISE.stderr = os.dup(2)
            os.dup2(_NOISE.file.fileno(), 2)
        _NOISE.decoding += 1
        return True


def _end() -> None:
    with _NOISE.lock:
        _NOISE.decoding -= 1
        if _NOISE.decoding:
            return
        os.dup2(_NOISE.stderr, 2)
        os.close(_NOISE.stderr)
        with _NOISE.file as file:
            file.seek(0)
            told = file.read(1 << 16).decode("utf-8", "replace").splitlines()
        for line in told:
            plain = _PLACE.sub("", line.strip())
            if plain and len(_NOISE.lines) < _LINES:
                _NOISE.lines[plain] = None


def take_noise() -> list[str]:
    """What decoders have written since the last call, each line once."""
    with _NOISE.lock:
        lines = list(_NOISE.lines)
        _NOISE.lines.clear()
        return lines


def noise_note() -> str:
    """The same as one sentence to tell at the end; "" where there was none."""
    lines = take_noise()
    if not lines:
        return ""
    more = f" (and {len(lines) - 1} more like it)" if len(lines) > 1 else ""
    return f"a decoder complained of what it read: {lines[0][:200]}{more}"
