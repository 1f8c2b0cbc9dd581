"""Which weights ``iid weights verify`` looks at, and what it says of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intrinsic_cli.api import WeightsError
from intrinsic_cli.registry import load_registry
from intrinsic_cli.weights import list_weights, verify


def choose(names: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """(name, path) of the named weights, or of all on this machine."""
    files = list_weights(load_registry())
    if not names:
        yield from ((file.name, file.path) for file in files)
    for name in names:
        found = [(file.name, file.path) for file in files if file.name == name]
        if not found and not Path(name).is_file():
            raise WeightsError(
                f"no weights called {name!r}", "`iid weights list` shows what there is"
            )
        yield from found or [(name, Path(name))]


def check(name: str, path: Path) -> dict[str, Any]:
    """``ok`` with the hash, or ``damaged`` with the reason."""
    try:
        return {"name": name, "path": path, "status": "ok", "sha256": verify(path), "error": ""}
    except WeightsError as error:
        return {
            "name": name,
            "path": path,
            "status": "damaged",
            "sha256": "",
            "error": error.message,
        }
