"""The table of ``iid evaluate``: values with how sure they are, which way is better, and what the
numbers mean."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from intrinsic_cli.cli import console
from intrinsic_cli.requests import EvaluateReport, Failure
from intrinsic_cli.runs.evaluate.prediction_names import lacking
from intrinsic_cli.runs.evaluate.run import LABELS
from intrinsic_cli.runs.evaluate.statistics import SECONDS, score_names

if TYPE_CHECKING:
    from rich.text import Text

    Row = Mapping[str, Any]

_ARROWS = {"lower": " ↓", "higher": " ↑"}
_WORDS = {"lower": " (lower)", "higher": " (higher)"}


def show(report: EvaluateReport) -> None:
    """The table and what stands under it, on stdout."""
    scores = score_names(report.rows, besides=LABELS)
    heads = ["method", "cases", *(_head(name, report) for name in scores)]
    cells = []
    for row in report.rows:
        values = [_cell(row, name) for name in scores]
        cells.append([row["method"], str(row["cases"]), *values])
    if sys.stdout.isatty():
        _draw(heads, cells, _best(report, scores))
    else:
        console.table(heads, cells)
    for line in _notes(report):
        console.line(line)


def tell(failures: Iterable[Failure]) -> None:
    """What failed, on stderr: one line a case, and one sentence for all the files a folder of
    predictions lacks."""
    incomplete: dict[str, list[Failure]] = {}
    for failure in failures:
        if failure.missing:
            incomplete.setdefault(failure.method, []).append(failure)
        else:
            who = f"{failure.method} on {failure.case}" if failure.method else failure.case
            console.note(f"failed: {who}: {failure.error}")
    for method, lost in incomplete.items():
        files = [name for failure in lost for name in failure.missing]
        cases = "1 case is" if len(lost) == 1 else f"{len(lost)} cases are"
        console.note(f"failed: {lacking(method, files)}: {cases} not scored")


def flat(report: EvaluateReport) -> tuple[list[str], list[list[Any]]]:
    """(columns, rows) for a spreadsheet: each score with the ends of its interval."""
    columns = ["method", "protocol", "cases"]
    for name in score_names(report.rows, besides=LABELS):
        columns.append(name)
        if any(name in row["intervals"] for row in report.rows):
            columns += [f"{name}_low", f"{name}_high"]
    rows = []
    for row in report.rows:
        values = {**row, **_ends(row["intervals"])}
        rows.append([values.get(column, "") for column in columns])
    return columns, rows


def _ends(intervals: Mapping[str, Sequence[float]]) -> dict[str, float]:
    ends = {}
    for name, (low, high) in intervals.items():
        ends[f"{name}_low"], ends[f"{name}_high"] = low, high
    return ends


def _head(name: str, report: EvaluateReport) -> str:
    """The name of a score, its unit, and which way is better."""
    metric = report.metrics.get(name, {})
    unit = metric.get("unit", "")
    signs = _ARROWS if _can_print("↓↑") else _WORDS
    sign = signs.get(metric.get("better", ""), "")
    return f"{name} {unit}".rstrip() + sign


def _cell(row: Row, name: str) -> str:
    if name not in row:
        return ""
    if name == SECONDS:
        return f"{row[name]:.2f}"
    value = f"{row[name]:.4f}"
    if name not in row["intervals"]:
        return value
    low, high = row["intervals"][name]
    return f"{value} ±{(high - low) / 2:.4f}"


def _best(report: EvaluateReport, scores: Sequence[str]) -> set[tuple[int, int]]:
    """(row, number of the score) of the best values, among the rows that were given every case."""
    most = max((row["cases"] for row in report.rows), default=0)
    best = set()
    for column, name in enumerate(scores):
        values = {}
        for number, row in enumerate(report.rows):
            if row["cases"] == most and name in row:
                values[number] = row[name]
        better = report.metrics.get(name, {}).get("better", "")
        wanted = _best_of(list(values.values()), better)
        for number, value in values.items():
            if value == wanted:
                best.add((number, column))
    return best


def _best_of(values: Sequence[float], better: str) -> float | None:
    """The value that wins; None where nothing can be compared."""
    if len(values) < 2 or better not in ("lower", "higher"):
        return None
    return min(values) if better == "lower" else max(values)


def _draw(heads: Sequence[str], cells: Sequence[Sequence[str]], best: set[tuple[int, int]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, name in enumerate(head.replace("_", " ") for head in heads):
        # On a narrow terminal headings wrap at words, but a number cut in two is no number.
        texts = [name, *(row[number] for row in cells)]
        longest = max(len(part) for text in texts for part in text.split())
        drawn.add_column(Text(name), overflow="fold", min_width=longest)
    for i, row in enumerate(cells):
        drawn.add_row(*(_text(cell, (i, j - 2) in best) for j, cell in enumerate(row)))
    Console().print(drawn)


def _text(cell: str, best: bool) -> Text:
    """The value, bold where it is the best, and under it, dimly, how sure it is."""
    from rich.text import Text

    value, sign, spread = cell.partition(" ±")
    text = Text()
    text.append(value, style="bold" if best else "")
    if sign:
        text.append(f"\n±{spread}", style="dim")
    return text


def _notes(report: EvaluateReport) -> Iterator[str]:
    """What the numbers mean."""
    summary, source = report.about.get("summary"), report.about.get("source")
    yield f"protocol {report.protocol}: {summary}" if summary else f"protocol {report.protocol}"
    if source:
        yield f"source: {source}"
    for about, names in _columns_by_meaning(report).items():
        yield f"{', '.join(names)}: {about}"
    yield f"data {report.data}, split {report.split}"
    for method, made in report.made_by.items():
        changed = [f"{key}={value}" for key, value in made.get("changed", {}).items()]
        if changed:
            yield f"{method} with {', '.join(changed)}"
    told = list(_about_signs(report))
    if told:
        yield "; ".join(told)


def _about_signs(report: EvaluateReport) -> Iterator[str]:
    """What arrows and ± mean."""
    if _can_print("↓↑"):
        yield "↓ lower is better, ↑ higher is better"
    if any(row["intervals"] for row in report.rows):
        how = report.resampling
        draws = f"{how['resamples']} resamples, seed {how['seed']}"
        yield f"± half the {how['level']:.0%} bootstrap interval over images ({draws})"


def _columns_by_meaning(report: EvaluateReport) -> dict[str, list[str]]:
    """The columns of which something is said, those together of which the same is."""
    found: dict[str, list[str]] = {}
    for name, told in report.metrics.items():
        if told.get("about"):
            found.setdefault(told["about"], []).append(name)
    return found


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
