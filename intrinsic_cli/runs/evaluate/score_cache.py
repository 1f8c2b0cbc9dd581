"""Scores of finished cases, a JSON line each, so that an evaluation that was killed goes on where
it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from intrinsic_cli.api import Case, DataError, UsageError
from intrinsic_cli.kit.files.json_text import as_json
from intrinsic_cli.kit.files.os_errors import reason


class ScoreCache:
    """A file of lines ``{"of": what was scored, "scores": {…}}``. Without a path it remembers
    nothing."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._known = dict(_read(path)) if path else {}
        if path:
            _begin(path)

    def __len__(self) -> int:
        return len(self._known)

    def key(self, recipe: Mapping[str, Any], case: Case) -> str:
        """What scores depend on: method, weights and options (``recipe``), and the very pixels of
        the case. "" where nothing is remembered."""
        if self.path is None or not recipe:
            return ""
        name = as_json([recipe, case.name], sort_keys=True, default=str)
        digest = hashlib.sha256(name.encode())
        for image in (case.photo, *case.truth.values(), case.mask):
            if hasattr(image, "tobytes"):
                digest.update(image.tobytes())
            else:
                digest.update(repr(image).encode())
        return digest.hexdigest()

    def find(self, key: str) -> Mapping[str, Any] | None:
        """The scores found earlier, if they are known."""
        return self._known.get(key)

    def add(self, key: str, scores: Mapping[str, Any]) -> None:
        """Remember, at once and on disk. DataError where that is full, or gone."""
        if self.path is None or not key:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"of": key, "scores": scores}) + "\n")  # NaN stays NaN
        except OSError as error:
            hint = "make room there; the same command goes on where it was"
            raise DataError(f"cannot write to {self.path}: {reason(error)}", hint) from error

    def close(self) -> None:
        """All is done: nothing need be remembered, and the next evaluation starts afresh."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an earlier run wrote; the line it was killed in is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            told = json.loads(line)
            yield str(told["of"]), dict(told["scores"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _begin(path: Path) -> None:
    """Make sure, before hours of work, that the file can be written, and that it ends with a whole
    line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
    except OSError as error:
        message = f"cannot write to {path}: {reason(error)}"
        raise UsageError(message, "name another --json file") from error
