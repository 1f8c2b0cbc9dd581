"""Frames of a shot as numbered files: ``a.0001.png``, ``a.0002.png``, … are ``a.%04d.png``, or
``a.####.png``. Light: looks at names."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: As C writes it, and as compositors do. (``%%`` is a sign that means itself.)
_PRINTF = re.compile(r"(?P<before>(?:[^%]|%%)*)%(?:0(?P<width>\d+))?d(?P<after>(?:[^%]|%%)*)")
_HASHES = re.compile(r"(?P<before>[^#]*)(?P<digits>#+)(?P<after>[^#]*)")
_NUMBERED = re.compile(r"(?P<before>.*?)(?P<digits>\d+)(?P<after>\.[^.]*)")
#: What stands between the name of a shot and the number of a frame.
_BETWEEN = "._- "
#: Fewer files than this are not a shot.
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Numbering:
    """Names of the frames of one shot: ``before``, a number of ``width`` digits, more only where it
    does not fit, and ``after``."""

    before: str
    width: int
    after: str

    @property
    def pattern(self) -> str:
        """As C writes it: ``a.%04d.png``."""
        number = f"%0{self.width}d" if self.width > 1 else "%d"
        return f"{_escaped(self.before)}{number}{_escaped(self.after)}"

    @property
    def shot(self) -> str:
        """The name of the shot, "" where its frames have only numbers."""
        return self.before.rstrip(_BETWEEN)

    def number(self, name: str) -> int | None:
        """The number of a frame by its file's name, None where that is of something else."""
        if not name.startswith(self.before) or not name.endswith(self.after):
            return None
        end = len(name) - len(self.after)
        digits = name[len(self.before) : end]
        if not digits.isascii() or not digits.isdecimal():
            return None
        fits = len(digits) == self.width
        grown = len(digits) > self.width and digits[0] != "0"
        return int(digits) if fits or grown else None


@cache
def numbering_of(pattern: str) -> Numbering | None:
    """What ``a.%04d.png`` or ``a.####.png`` means; None for other names."""
    found = _PRINTF.fullmatch(pattern)
    if found is not None:
        width = int(found["width"] or 1)
        before, after = (found[part].replace("%%", "%") for part in ("before", "after"))
        return Numbering(before, max(1, width), after)
    found = _HASHES.fullmatch(pattern)
    if found is None:
        return None
    return Numbering(found["before"], len(found["digits"]), found["after"])


def is_sequence(path: Path) -> bool:
    """Is it the pattern of numbered files, and no file that happens to be called so?"""
    marked = "%" in path.name or "#" in path.name
    if not marked or numbering_of(path.name) is None:
        return False
    return not os.path.lexists(path)  # Path's own question raises for names that are too long


def frames_of(pattern: Path) -> dict[int, Path]:
    """The files of a sequence by their numbers, in order; none where there is no folder."""
    numbering = numbering_of(pattern.name)
    if numbering is None:
        return {}
    try:
        names = os.listdir(pattern.parent)  # noqa: PTH208  names only
    except OSError:
        return {}
    found = {}
    for name in names:
        number = numbering.number(name)
        if number is not None:
            found[number] = pattern.parent / name
    return dict(sorted(found.items()))


def numberings(names: Iterable[str]) -> Mapping[str, Numbering]:
    """Of the names of files in one folder those that are frames of a shot, and of which. ``9`` and
    ``10`` belong together, and so do ``08``, ``09`` and ``10``; one file alone is no shot."""
    groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        found = _NUMBERED.fullmatch(name)
        if found is not None:
            groups[found["before"], found["after"]][found["digits"]] = name
    shots: dict[str, Numbering] = {}
    for (before, after), numbered in groups.items():
        widths = _widths(list(numbered))
        members = Counter(widths.values())
        for digits, name in numbered.items():
            width = widths[digits]
            if members[width] >= _FEWEST:
                shots[name] = Numbering(before, width, after)
    return shots


def _widths(numbers: Sequence[str]) -> dict[str, int]:
    """How many digits the shot of each number has at least: leading zeros tell, and other numbers
    join the widest that they fit, or each other."""
    told = {len(digits) for digits in numbers if len(digits) > 1 and digits[0] == "0"}
    widths: dict[str, int] = {}
    free: list[str] = []
    for digits in numbers:
        fitting = [width for width in told if width <= len(digits)]
        if fitting:
            widths[digits] = max(fitting)
        else:
            free.append(digits)
    least = min(map(len, free), default=1)
    return widths | dict.fromkeys(free, least)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
