"""What people see while they wait: bars on a terminal, plain lines elsewhere. stdout carries
results only."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from intrinsic_cli.cli.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

EVERY = 10.0  # seconds between two plain progress lines
Facts = Mapping[str, float | str]


class Plain:
    """Progress as lines on stderr, for logs and pipes."""

    def __init__(self) -> None:
        self._work: list[_Work] = []

    def start(self, label: str, total: int | None) -> None:
        """Remember a piece of work; it speaks up when it takes long."""
        self._work.append(_Work(label, total))

    def advance(self, by: int = 1, facts: Facts | None = None) -> None:
        """Count, and say so every few seconds."""
        if self._work:
            told = self._work[-1].advance(by, facts)
            if told:
                self.note(told)

    def note(self, text: str) -> None:
        """One line on stderr."""
        note(text)

    def finish(self) -> None:
        """Sum up the work begun last."""
        if self._work:
            self.note(self._work.pop().summary())

    def result(self, text: str) -> None:
        """One line of result on stdout."""
        result(text)


def line(text: str) -> None:
    """One line for people on stdout."""
    print(printable(text))


def note(text: str) -> None:
    """One line for people on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def result(text: str) -> None:
    """One line for scripts on stdout: safe to look at on a terminal, exact in a pipe."""
    if sys.stdout.isatty():
        text = printable(text)
    print(text, flush=True)


class _Work:
    """One piece of work, counted."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total, self.done = label, total, 0
        self.facts: Facts = {}
        self.began = self.spoke = time.monotonic()

    def advance(self, by: int, facts: Facts | None) -> str:
        self.done += by
        self.facts = facts or self.facts
        now = time.monotonic()
        if now - self.spoke < EVERY:
            return ""
        self.spoke = now
        return f"{self} {_show(self.facts)}".rstrip()

    def summary(self) -> str:
        return f"{self} in {time.monotonic() - self.began:.1f} s {_show(self.facts)}".rstrip()

    def __str__(self) -> str:
        return f"{self.label}: {self.done}" + (f"/{self.total}" if self.total is not None else "")


class Bars:
    """Progress as bars at the foot of a terminal."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: list[TaskID] = []

    def start(self, label: str, total: int | None) -> None:
        """Draw one more bar."""
        self._tasks.append(self._bars.add_task(label, total=total, facts=""))

    def advance(self, by: int = 1, facts: Facts | None = None) -> None:
        """Move the newest bar."""
        if self._tasks:
            self._bars.update(self._tasks[-1], advance=by)
            if facts:
                self._bars.update(self._tasks[-1], facts=_show(facts))

    def note(self, text: str) -> None:
        """One line above the bars."""
        shown = printable(text)
        self._bars.console.print(shown, markup=False, highlight=False, soft_wrap=True)

    def finish(self) -> None:
        """Take the newest bar away."""
        if self._tasks:
            self._bars.remove_task(self._tasks.pop())

    def result(self, text: str) -> None:
        """One line of result: above the bars when stdout is the same terminal, else straight to
        stdout."""
        if sys.stdout.isatty():
            self.note(text)
        else:
            result(text)


@contextmanager
def progress() -> Iterator[Plain | Bars]:
    """A listener for the work of one command."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Plain()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    # Results go to stdout, which may be a pipe: rich must not catch them.
    with Progress(
        *columns,
        TextColumn("{task.fields[facts]}"),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
    ) as bars:
        yield Bars(bars)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout: drawn on a terminal, aligned columns in a pipe."""
    cells = [[printable(_cell(value)) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, *column in zip(columns, *cells, strict=True):
        # On a narrow terminal words wrap, but a number cut in two is no number.
        numbers = [len(cell) for cell in column if cell[:1].isdigit()]
        drawn.add_column(name, overflow="fold", min_width=max(numbers, default=None))
    for row in cells:
        drawn.add_row(*map(Text, row))
    Console().print(drawn)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _show(facts: Facts | None) -> str:
    return "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in (facts or {}).items()
    )
