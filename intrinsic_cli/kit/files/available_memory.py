"""How much memory there is to be had: of this machine, and of the container, job or slice that this
process is in, each of which Linux calls a control group and may limit. Light.

What is counted as free includes what Linux keeps of files only as long as nobody wants the room:
in a container that has read much, that may be most of what it seems to use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Below this all is looked for; another one in tests.
ROOT = Path("/")
#: Bytes that a machine is taken to have that does not say.
UNKNOWN = 8 << 30
#: Where the kernel tells.
_MACHINE = "proc/meminfo"
_GROUPS = "proc/self/cgroup"


@dataclass(frozen=True, slots=True)
class _Version:
    """How one version of control groups calls its files."""

    top: str
    limit: str
    used: str
    files: tuple[str, ...]


_SECOND = _Version(
    "sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file")
)
_FIRST = _Version(
    "sys/fs/cgroup/memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def available_memory() -> int:
    """Bytes: the least that the machine and any of the groups around this process have left; where
    neither tells, what the machine has in all."""
    return min((_of_machine(), *_of_groups()))


def _of_machine() -> int:
    words = _table(ROOT / _MACHINE).get("MemAvailable:")
    return words << 10 if words is not None else _physical()


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return UNKNOWN


def _of_groups() -> Iterator[int]:
    """What is left in each group that has a limit."""
    for line in _text(ROOT / _GROUPS).splitlines():
        _, _, told = line.partition(":")
        controllers, _, path = told.partition(":")
        if not controllers:
            yield from _of_group(_SECOND, path)
        elif "memory" in controllers.split(","):
            yield from _of_group(_FIRST, path)


def _of_group(version: _Version, path: str) -> Iterator[int]:
    """The same of the group ``path`` and those that it is in. In a container the path may be that
    which the machine outside knows; then only the topmost is there."""
    top = ROOT / version.top
    group = top / path.lstrip("/")
    for folder in (group, *group.parents):
        limit = _text(folder / version.limit).strip()
        used = _text(folder / version.used).strip()
        if limit.isdigit() and used.isdigit():  # else there is none, or it is "max"
            told = _table(folder / "memory.stat")
            kept = sum(told.get(name, 0) for name in version.files)
            yield max(0, int(limit) - max(0, int(used) - kept))
        if folder == top:
            return


def _table(path: Path) -> Mapping[str, int]:
    """The numbers in lines such as ``name 12`` or ``name: 12 kB``."""
    rows = (line.split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
