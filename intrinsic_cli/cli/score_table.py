"""The table of ``iid evaluate``: values with how sure they are, which way is better, and what the
numbers mean."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from intrinsic_cli.cli import console
from intrinsic_cli.requests import EvaluateReport, Failure
from intrinsic_cli.runs.evaluate.predictions import lacking
from intrinsic_cli.runs.evaluate.statistics import SECONDS, better, unit

_TEXT = ("method", "protocol", "cases", "intervals")


def show(report: EvaluateReport) -> None:
    """The table and what stands under it, on stdout."""
    figures = _figures(report.rows)
    heads = ["method", "cases", *(_head(name) for name in figures)]
    cells = [
        [row["method"], str(row["cases"]), *(_cell(row, name) for name in figures)]
        for row in report.rows
    ]
    if sys.stdout.isatty():
        _draw(heads, cells, _best(report.rows, figures))
    else:
        console.table(heads, cells)
    for line in _notes(report):
        click.echo(line)


def tell(failures: Iterable[Failure]) -> None:
    """What failed, on stderr: one line a case, and one sentence for all the files a folder of
    predictions lacks."""
    incomplete: dict[str, list[Failure]] = {}
    for failure in failures:
        if failure.missing:
            incomplete.setdefault(failure.method, []).append(failure)
        else:
            who = f"{failure.method} on {failure.case}" if failure.method else failure.case
            click.echo(f"failed: {who}: {failure.error}", err=True)
    for method, lost in incomplete.items():
        files = [name for failure in lost for name in failure.missing]
        cases = "1 case is" if len(lost) == 1 else f"{len(lost)} cases are"
        click.echo(f"failed: {lacking(method, files)}: {cases} not scored", err=True)


def flat(report: EvaluateReport) -> tuple[list[str], list[list[Any]]]:
    """(columns, rows) for a spreadsheet: each figure with the ends of its interval."""
    columns = ["method", "protocol", "cases"]
    for name in _figures(report.rows):
        known = any(name in row["intervals"] for row in report.rows)
        columns += [name, f"{name}_low", f"{name}_high"] if known else [name]
    spread = [{**row, **_ends(row["intervals"])} for row in report.rows]
    return columns, [[row.get(name, "") for name in columns] for row in spread]


def _ends(intervals: Mapping[str, Sequence[float]]) -> dict[str, float]:
    ends = {f"{name}_low": pair[0] for name, pair in intervals.items()}
    return ends | {f"{name}_high": pair[1] for name, pair in intervals.items()}


def _figures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = dict.fromkeys(name for row in rows for name in row if name not in _TEXT)
    return sorted(found, key=lambda name: name == SECONDS)


def _head(name: str) -> str:
    signs = (
        {-1: " ↓", 1: " ↑", 0: ""} if _can_print("↓↑") else {-1: " (lower)", 1: " (higher)", 0: ""}
    )
    return f"{name}{' ' if unit(name) else ''}{unit(name)}{signs[better(name)]}"


def _cell(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return ""
    ends = row["intervals"].get(name)
    value = f"{row[name]:.2f}" if name == SECONDS else f"{row[name]:.4f}"
    return f"{value} ±{(ends[1] - ends[0]) / 2:.4f}" if ends else value


def _best(rows: Sequence[Mapping[str, Any]], figures: Sequence[str]) -> set[tuple[int, int]]:
    """(row, column of figures) of the best value of each column, among the rows that were given
    every case."""
    most = max((row["cases"] for row in rows), default=0)
    best = set()
    for column, name in enumerate(figures):
        values = {
            i: row[name] * better(name)
            for i, row in enumerate(rows)
            if row["cases"] == most and name in row
        }
        if len(values) > 1 and better(name):
            best |= {(i, column) for i, value in values.items() if value == max(values.values())}
    return best


def _draw(heads: Sequence[str], cells: Sequence[Sequence[str]], best: set[tuple[int, int]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, name in enumerate(head.replace("_", " ") for head in heads):
        # On a narrow terminal headings wrap at words, but a number cut in two is no number.
        parts = [part for text in (name, *(row[number] for row in cells)) for part in text.split()]
        drawn.add_column(Text(name), overflow="fold", min_width=max(map(len, parts)))
    for i, row in enumerate(cells):
        drawn.add_row(*(_text(Text, cell, (i, j - 2) in best) for j, cell in enumerate(row)))
    Console().print(drawn)


def _text(kind: Any, cell: str, best: bool) -> Any:
    """The value, bold where it is the best, and under it, dimly, how sure it is."""
    value, sign, spread = cell.partition(" ±")
    return kind.assemble((value, "bold" if best else ""), (f"\n±{spread}" if sign else "", "dim"))


def _notes(report: EvaluateReport) -> Iterable[str]:
    about = report.about
    yield f"protocol {report.protocol}" + (f": {about['summary']}" if about.get("summary") else "")
    if about.get("source"):
        yield f"source: {about['source']}"
    yield f"data {report.data}, split {report.split}"
    arrows = "↓ lower is better, ↑ higher is better; " if _can_print("↓↑") else ""
    if any(row["intervals"] for row in report.rows):
        resamples, seed = report.resampling["resamples"], report.resampling["seed"]
        spread = f"{report.resampling['level']:.0%} bootstrap interval over images ({resamples} resamples, seed {seed})"
        yield f"{arrows}± half the {spread}"
    elif arrows:
        yield arrows.removesuffix("; ")


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
