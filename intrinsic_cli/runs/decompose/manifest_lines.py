"""Lines of a manifest, read with suspicion: the last may be torn, any may be somebody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Bytes; no line that iid writes comes near.
LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a photo: where its outputs are (``base``, and ``files`` by output), which
    ``photo`` of which ``size`` and time was taken apart, by what ``recipe``, when (``at``, seconds
    since 1970), and how it ended (``status`` done or failed)."""

    base: str
    photo: str
    status: str
    recipe: str
    size: int
    mtime_ns: int
    at: float
    files: Mapping[str, tuple[str, ...]]
    preview: str

    @staticmethod
    def parse(text: str | bytes) -> Line | None:
        """A line as it was meant, None where it makes no sense."""
        try:
            entry = json.loads(text)
            files = {str(name): _names(listed) for name, listed in entry["files"].items()}
            return Line(
                str(entry["base"]),
                str(entry["photo"]),
                str(entry["status"]),
                str(entry["recipe"]),
                int(entry["size"]),
                int(entry["mtime_ns"]),
                float(entry["at"]),
                files,
                str(entry["preview"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return None


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file that make sense; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            while text := file.readline(LONGEST):
                line = Line.parse(text)
                if line is not None:
                    yield line
    except OSError:
        return


def _names(listed: Any) -> tuple[str, ...]:
    """Names of files in one folder. ValueError for anything else."""
    if not isinstance(listed, list) or not listed:
        raise ValueError("no list of names")
    return tuple(map(str, listed))
