"""Sidecars of earlier runs, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrinsic_cli.kit.files import sidecar

Facts = Mapping[str, Any]


class Sidecars:
    """Sidecars, each read once, and again only when it has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[object, Facts | None]] = {}

    def read(self, path: Path) -> Facts | None:
        """What the sidecar says, None where there is none that can be read."""
        if path not in self._known:
            self._known[path] = (_state(path), sidecar.read(path))
        return self._known[path][1]

    def refreshed(self, path: Path) -> bool:
        """Has it changed since it was read? If so, read it again when next asked."""
        if path in self._known and self._known[path][0] == _state(path):
            return False
        self._known.pop(path, None)
        return True


def _state(path: Path) -> object:
    """What differs whenever a file was written anew."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
