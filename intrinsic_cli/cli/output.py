"""JSON for scripts, from the plain values that the house works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from intrinsic_cli.kit.files.json_text import as_json

STDOUT = Path("-")


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: dataclasses and named tuples become objects, paths become
    text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items) if isinstance(value, set | frozenset) else items
    return str(value) if isinstance(value, Path) else value


def line(value: Any) -> str:
    """One JSON line."""
    return as_json(plain(value), default=str)


def text(value: Any) -> str:
    """JSON laid out for reading."""
    return as_json(plain(value), indent=2, default=str)


def dump(value: Any) -> None:
    """Print laid-out JSON on stdout."""
    print(text(value))


def csv(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV."""
    import csv as writing
    import io

    page = io.StringIO()
    writing.writer(page, lineterminator="\n").writerows(rows)
    return page.getvalue()


def put(path: Path, text: str) -> None:
    """Write ``text`` to a file, whole or not at all, or to stdout where the path is ``-``."""
    from intrinsic_cli.kit.files.atomic import write_text

    if path == STDOUT:
        print(text, end="")
    else:
        write_text(path, text)
