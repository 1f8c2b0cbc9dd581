"""What tells whether an input is still the same: a file, or all files of a sequence. Light."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from intrinsic_cli.kit.files.frame_numbers import frames_of, is_sequence

#: A number of 63 bits fits wherever the times of files do.
_BITS = 63


def content_hash(path: Path) -> str:
    """The SHA-256 of a file; of a sequence that of the names and hashes of its files. "" where it
    cannot be read."""
    try:
        if is_sequence(path):
            files = frames_of(path).values()
            return _hash_of((file.name, _hash(file)) for file in files) if files else ""
        return _hash(path)
    except OSError:
        return ""


def state_of(path: Path) -> tuple[int, int]:
    """Size and time of an input; other ones than before mean another picture. (0, 0) where there
    is none. Of a sequence all sizes, and a number that stands for all names and times."""
    try:
        if not is_sequence(path):
            status = path.stat()
            return status.st_size, status.st_mtime_ns
        states = [(file.name, file.stat()) for file in frames_of(path).values()]
    except (OSError, ValueError):
        return 0, 0
    size = sum(status.st_size for _, status in states)
    text = _hash_of((name, f"{status.st_size} {status.st_mtime_ns}") for name, status in states)
    return size, int(text, 16) % (1 << _BITS)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_of(pairs: Iterable[tuple[str, str]]) -> str:
    """One hash of names and what is known of each."""
    whole = hashlib.sha256()
    for name, told in pairs:
        whole.update(f"{told} {name}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()
