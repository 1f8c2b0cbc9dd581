"""What the user typed as input → paths: globs opened, lists read, stdin taken in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from glob import glob
from pathlib import Path

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files.os_errors import advice, reason

STDIN = "-"
MARKS = frozenset("*?[")


def gather(words: tuple[str, ...], from_list: str | None) -> tuple[tuple[Path, ...], bytes | None]:
    """(paths, bytes of stdin if it is one of the inputs)."""
    if STDIN in words and from_list == STDIN:
        hint = "save one of the two, and give the name of its file"
        raise UsageError("stdin cannot be both an image and a list of paths", hint)
    paths = tuple(dict.fromkeys([*_open_globs(words), *_from_list(from_list)]))
    if not paths:
        raise UsageError(
            "no input", "give files, folders or globs, `-` for stdin, or --from-list FILE"
        )
    return paths, sys.stdin.buffer.read() if STDIN in words else None


def _open_globs(words: Iterable[str]) -> Iterator[Path]:
    """Shells leave a glob alone when it is quoted or matches nothing; a file whose name looks like
    one comes first."""
    for word in words:
        path = Path(word).expanduser() if word.startswith("~") else Path(word)
        if path == Path(STDIN) and word != STDIN:
            path = path.absolute()  # `./-` is a file of that name; a Path forgets the `./`
        if word == STDIN or not MARKS.intersection(word) or path.exists():
            yield path
            continue
        # Path.glob refuses absolute patterns.
        found = sorted(glob(str(path), recursive=True))  # noqa: PTH207
        if not found:
            raise DataError(f"nothing matches {word}", _why_nothing(path))
        yield from map(Path, found)


def _why_nothing(pattern: Path) -> str:
    """What there is instead of what a pattern is to match."""
    parts = list(pattern.parts)
    marked = next(number for number, part in enumerate(parts) if MARKS.intersection(part))
    folder = Path(*parts[:marked])
    if not folder.is_dir():
        return f"there is no folder {folder}"
    return f"it is looked for in {folder.absolute()}; *, ? and [ stand for other characters"


def _from_list(source: str | None) -> Iterator[Path]:
    if source is None:
        return
    try:
        text = sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why, hint = "it is no text in UTF-8", "give a text file with a path a line"
        if isinstance(error, OSError):
            why, hint = reason(error), advice(error)
        raise DataError(f"cannot read the list {source}: {why}", hint) from error
    yield from (Path(line) for line in text.splitlines() if line.strip())
