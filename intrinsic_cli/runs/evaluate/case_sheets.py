"""The worst and best cases of an evaluation, kept while it runs and drawn when it is over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api.outputs import FACTORS, SUMMANDS

if TYPE_CHECKING:
    from intrinsic_cli.api import Case


class Gallery:
    """Keeps the ``size`` lowest and highest scored cases; the others are forgotten at once, however
    many there are."""

    def __init__(self, size: int = 4) -> None:
        self._size = size
        self._best: list[tuple[float, str, Any]] = []
        self._worst: list[tuple[float, str, Any]] = []

    def wants(self, value: float) -> bool:
        """Would a case with this figure be drawn, as things stand?"""
        full = len(self._best) == self._size
        return not full or value < self._best[-1][0] or value > self._worst[-1][0]

    def add(self, case: Case, layers: Mapping[str, Any], figure: str, value: float) -> None:
        """Take in a case with the figure it is ranked by (lower is better)."""
        entry = (
            value,
            f"{case.name}   {figure} {value:.4f}",
            (case, {n: layers[n] for n in _shown(case) if n in layers}),
        )
        self._best = sorted([*self._best, entry], key=_value)[: self._size]
        self._worst = sorted([*self._worst, entry], key=_value, reverse=True)[: self._size]

    def write(self, folder: Path, name: str) -> list[Path]:
        """Draw ``NAME.worst.png`` and ``NAME.best.png`` below ``folder``."""
        plain = re.sub(r"[^\w.-]+", "-", name)
        return [
            _write(folder / f"{plain}.{end}.png", entries)
            for end, entries in (("worst", self._worst), ("best", self._best))
            if entries
        ]


def _value(entry: tuple[float, str, Any]) -> float:
    return entry[0]


def _write(path: Path, entries: list[tuple[float, str, Any]]) -> Path:
    from intrinsic_cli.kit.files.contact_sheet import contact_sheet
    from intrinsic_cli.kit.files.photo import write_png

    names = _shown(entries[0][2][0])
    columns = ("photo", *names, *(f"true {name}" for name in names))
    rows = [_row(case, layers, names) for _, _, (case, layers) in entries]
    write_png(path, contact_sheet(rows, columns, titles=[title for _, title, _ in entries]))
    return path


def _shown(case: Case) -> tuple[str, ...]:
    """The layers drawn: those that add up where there is truth of such, else those that
    multiply."""
    return tuple(name for name in SUMMANDS if name in case.truth) or FACTORS


def _row(case: Case, layers: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    """The columns of one case. Factors have no scale of their own here: each is brought to white
    inside the mask."""
    import numpy as np

    from intrinsic_cli.kit.score import exposure

    none = np.zeros((*case.photo.shape[:2], 1), np.float32)
    shown = [source.get(name, none) for source in (layers, case.truth) for name in names]
    if names != FACTORS:
        return [case.photo, *shown]
    return [case.photo, *(layer * exposure(layer, case.mask) for layer in shown)]
