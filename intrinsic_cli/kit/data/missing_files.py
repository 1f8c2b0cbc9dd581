"""What a dataset lacks. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli.api import DataError

if TYPE_CHECKING:
    from intrinsic_cli.api import Source

_NAMED = 4  # missing files, in the sentence


class MissingFilesError(DataError):
    """Files that a dataset lacks: ``paths`` are all of them, the sentence names four at most.

    ``rest`` is the dataset without them, where its reader can tell: what is there may be looked at,
    too."""

    def __init__(
        self,
        kind: str,
        folder: Path,
        paths: Sequence[Path],
        layout: str,
        rest: Source | None = None,
    ) -> None:
        named = ", ".join(_within(folder, path) for path in paths[:_NAMED])
        if len(paths) > _NAMED:
            named += f" and {len(paths) - _NAMED} more"
        super().__init__(f"{kind} at {folder} lacks {named}", f"expected: {layout}")
        self.paths = tuple(paths)
        self.rest = rest


def _within(folder: Path, path: Path) -> str:
    """The path as seen from the folder; whole, where it is elsewhere."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
