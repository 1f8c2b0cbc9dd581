"""The worst and best cases of an evaluation, kept while it runs and drawn when it is over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api.outputs import KIND_OF

if TYPE_CHECKING:
    from intrinsic_cli.api import Case
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case with the layers answered for it. ``error`` is what it is ranked by (lower is
    better)."""

    error: float
    title: str
    case: Case
    answer: Mapping[str, Image]


class CaseSheets:
    """Keeps the ``size`` worst and best cases; the others are forgotten at once, however many there
    are. ``shows`` are the layers to draw; none named: those with truth."""

    def __init__(self, shows: Sequence[str] = (), size: int = 4) -> None:
        self._shows, self._size = tuple(shows), size
        self._best: list[ScoredCase] = []
        self._worst: list[ScoredCase] = []

    def wants(self, error: float) -> bool:
        """Would a case with this error be drawn, as things stand?"""
        if len(self._best) < self._size:
            return True
        return error < self._best[-1].error or error > self._worst[-1].error

    def add(self, case: Case, answer: Answer, title: str, error: float) -> None:
        """Take in a case with the error it is ranked by."""
        shown = _layers_of(answer, self._names(case))
        heading = f"{case.name}   {title}"
        entry = ScoredCase(error, heading, case, shown)
        best = sorted([*self._best, entry], key=_error)
        worst = sorted([*self._worst, entry], key=_error, reverse=True)
        self._best = best[: self._size]
        self._worst = worst[: self._size]

    def write(self, folder: Path, name: str) -> list[Path]:
        """Draw ``NAME.worst.png`` and ``NAME.best.png`` below ``folder``."""
        plain = _file_name(name)
        written = []
        for end, entries in (("worst", self._worst), ("best", self._best)):
            if entries:
                written.append(self._write(folder / f"{plain}.{end}.png", entries))
        return written

    def _names(self, case: Case) -> tuple[str, ...]:
        return self._shows or tuple(case.truth)

    def _write(self, path: Path, entries: Sequence[ScoredCase]) -> Path:
        from intrinsic_cli.kit.files.contact_sheet import contact_sheet
        from intrinsic_cli.kit.files.photo import write_png

        names = self._drawn(entries)
        columns = ("photo", *names, *(f"true {name}" for name in names))
        rows = [_row(entry, names) for entry in entries]
        titles = [entry.title for entry in entries]
        write_png(path, contact_sheet(rows, columns, titles=titles))
        return path

    def _drawn(self, entries: Sequence[ScoredCase]) -> list[str]:
        """The columns of a sheet: layers that some case has, answered or true."""
        there = {name for entry in entries for name in (*entry.answer, *entry.case.truth)}
        return [name for name in self._names(entries[0].case) if name in there]


def write_pictures(folder: Path, name: str, pictures: Mapping[str, Any]) -> list[Path]:
    """Write pictures, sRGB codes [H,W,3], as ``NAME.TITLE.png`` below ``folder``."""
    from intrinsic_cli.kit.files.photo import write_png

    written = []
    for title, codes in pictures.items():
        path = folder / f"{_file_name(name)}.{title}.png"
        write_png(path, codes)
        written.append(path)
    return written


def _file_name(name: str) -> str:
    """What a candidate's files begin with."""
    return re.sub(r"[^\w.-]+", "-", name)


def _error(entry: ScoredCase) -> float:
    return entry.error


def _layers_of(answer: Answer, names: Sequence[str]) -> dict[str, Image]:
    """Those of the outputs ``names`` that are pictures, and not meshes or records."""
    import numpy as np

    layers = {}
    for name in names:
        output = answer.get(name)
        if isinstance(output, np.ndarray) and output.ndim in (2, 3):
            layers[name] = output
    return layers


def _row(entry: ScoredCase, names: Sequence[str]) -> list[Image]:
    """The columns of one case; black where there is none."""
    import numpy as np

    case = entry.case
    none = np.zeros((*case.photo.shape[:2], 1), np.float32)
    answered = [_visible(name, entry.answer.get(name, none), case) for name in names]
    true = [_visible(name, case.truth.get(name, none), case) for name in names]
    return [case.photo, *answered, *true]


def _visible(name: str, layer: Image, case: Case) -> Image:
    """The layer as light to look at. Factors have no scale of their own here: each is brought to
    white inside the mask. Vectors are shifted from -1..1 to 0..1."""
    import numpy as np

    from intrinsic_cli.kit.light.white import white_gain

    kind = KIND_OF.get(name)
    if kind in ("reflectance", "factor"):
        return layer * np.float32(white_gain(layer, case.mask))
    if kind == "vector":
        return layer * np.float32(0.5) + np.float32(0.5)
    return layer
