"""Do a photo and its layers have one size? Asked of headers, before a training and not amid it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from intrinsic_cli.api import Progress, Silent
from intrinsic_cli.kit.files.picture_size import EMPTY, picture_size

Entry = TypeVar("Entry")

#: Entries that a thread looks at in one go, and how many of them are worth a word to who waits.
_BLOCK, _MANY = 256, 4096
#: A disk in the network answers several questions as fast as one.
_THREADS = 4


def check_sizes(
    entries: Sequence[Entry],
    files_of: Callable[[Entry], Sequence[Path]],
    read: Callable[[Entry], object],
    progress: Progress,
) -> None:
    """``read`` every entry that has an empty file, or of whose files the headers tell unlike sizes:
    it raises what is wrong, or nothing where headers mislead."""
    heard = progress if len(entries) >= _MANY else Silent()
    blocks = [entries[at : at + _BLOCK] for at in range(0, len(entries), _BLOCK)]
    heard.start("sizes", len(entries))
    pool = ThreadPoolExecutor(_THREADS)
    try:
        doubtful = pool.map(lambda block: _doubtful(block, files_of), blocks)
        for block, found in zip(blocks, doubtful, strict=True):
            for entry in found:
                read(entry)
            heard.advance(len(block))
    finally:
        pool.shutdown(cancel_futures=True)
    heard.finish()


def _doubtful(entries: Sequence[Entry], files_of: Callable[[Entry], Sequence[Path]]) -> list[Entry]:
    return [entry for entry in entries if _is_doubtful(files_of(entry))]


def _is_doubtful(files: Sequence[Path]) -> bool:
    sizes = {picture_size(path) for path in files} - {None}
    return len(sizes) > 1 or EMPTY in sizes
