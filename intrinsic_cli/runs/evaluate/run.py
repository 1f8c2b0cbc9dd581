"""``iid evaluate``: methods and layers of other programs against truth, one row each, beside the
constant answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from intrinsic_cli.api import (
    Case,
    DataError,
    IidError,
    Metric,
    Progress,
    Protocol,
    Silent,
    Source,
    UsageError,
)
from intrinsic_cli.kit.files.writable import check_writable
from intrinsic_cli.registry import Registry, load_registry, open_dataset, open_protocol
from intrinsic_cli.requests import EvaluateReport, EvaluateRequest, Failure
from intrinsic_cli.runs.evaluate.candidates import Candidate, baselines_of, gather_candidates
from intrinsic_cli.runs.evaluate.case_sheets import CaseSheets
from intrinsic_cli.runs.evaluate.prediction_names import HINT, lacking
from intrinsic_cli.runs.evaluate.rows import TableRow
from intrinsic_cli.runs.evaluate.score_cache import ScoreCache
from intrinsic_cli.runs.evaluate.splits import SPLITS, cases_of
from intrinsic_cli.runs.evaluate.statistics import LEVEL, RESAMPLES, SECONDS, score_names

#: Keys of a row that are no scores.
LABELS = ("method", "protocol", "cases", "intervals")


def evaluate(
    request: EvaluateRequest,
    progress: Progress = Silent(),  # noqa: B008  Silent is stateless
    registry: Registry | None = None,
) -> EvaluateReport:
    """Score ``request.methods`` and ``request.predictions`` on one dataset; the constant baselines
    follow as rows of their own. A case that fails is reported and the others are scored.

    Raises UsageError for unknown names and settings, WeightsError and DataError for what is missing
    altogether."""
    registry = registry or load_registry()
    _check(request)
    candidates = gather_candidates(request, registry)
    source = open_dataset(request.data, registry)
    cases = _first(cases_of(source, request.split), request.limit, source)
    protocol = open_protocol(source.protocol, registry)
    cache = ScoreCache(request.cache)
    _tell_first(source, cache, request, progress)
    everyone = (*candidates, *baselines_of(protocol))
    rows = [_open_row(one, protocol, cache, request, progress) for one in everyone]
    unread = _score_all(cases, rows, request, progress)
    asked = rows[: len(candidates)]
    _require_scores(asked, request, source)
    _draw(asked, request, progress)
    report = _report(rows, unread, request, protocol)
    if not report.failures:
        cache.close()
    return report


def _first(cases: Sequence[Case], limit: int | None, source: Source) -> Sequence[Case]:
    """The cases of the first ``limit`` photos."""
    return cases if limit is None else cases[: limit * source.cases_of_photo]


def _tell_first(
    source: Source, cache: ScoreCache, request: EvaluateRequest, progress: Progress
) -> None:
    """What the user should know before hours of work."""
    if request.split != "all":  # the notes are about how the data is split
        for note in source.notes:
            progress.note(f"note: {note}")
    if len(cache):
        progress.note(f"going on from {cache.path}, which knows {len(cache)} results")


def _check(request: EvaluateRequest) -> None:
    if request.split not in SPLITS:
        hint = f"use {', '.join(SPLITS[:-1])} or {SPLITS[-1]}"
        raise UsageError(f"there is no split called {request.split!r}", hint)
    if request.limit is not None and request.limit < 1:
        raise UsageError(f"{request.limit} cases cannot be scored", "give a limit of 1 or more")
    if request.save is not None and request.save.exists() and not request.save.is_dir():
        message = f"{request.save} is a file, not a folder for pictures"
        raise UsageError(message, "name a folder")
    if request.save is not None:
        check_writable(request.save, "choose another --save folder")


def _open_row(
    candidate: Candidate,
    protocol: Protocol,
    cache: ScoreCache,
    request: EvaluateRequest,
    progress: Progress,
) -> TableRow:
    candidate.open(protocol, progress)
    sheets = CaseSheets(protocol.shows) if request.save else None
    return TableRow(candidate, protocol, cache, sheets)


def _score_all(
    cases: Sequence[Case], rows: Sequence[TableRow], request: EvaluateRequest, progress: Progress
) -> list[Failure]:
    """Every case is read once and shown to all. Returns the cases that could not be read."""
    unread: list[Failure] = []
    progress.start(f"evaluate on {request.data}", len(cases))
    try:
        for case in _readable(cases, unread):
            scored = [row.take(case) for row in rows]
            if not any(scored):
                progress.note(f"{case.name}: nothing to score")
            progress.advance()
    finally:
        progress.finish()
    return unread


def _readable(cases: Sequence[Case], unread: list[Failure]) -> Iterator[Case]:
    """The cases that can be read; what is wrong with the others goes to ``unread``."""
    for number in range(len(cases)):
        try:
            case = cases[number]
        except IidError as error:
            unread.append(Failure("", f"case {number + 1}", error.message))
            continue
        yield case


def _require_scores(rows: Sequence[TableRow], request: EvaluateRequest, source: Source) -> None:
    """An error where nothing at all was scored."""
    if any(row.cases for row in rows):
        return
    failures = [failure for row in rows for failure in row.failures]
    files = [name for failure in failures for name in failure.missing]
    if files:
        raise DataError(lacking(", ".join(request.predictions), files), HINT)
    for row in rows:
        if row.error:
            raise row.error
    message = f"nothing of {source.name} could be scored by the protocol {source.protocol!r}"
    offered = ", ".join(sorted(source.offers))
    hint = f"{source.name} tells {offered}; `iid methods NAME` tells what a method gives"
    raise DataError(message, hint)


def _draw(rows: Sequence[TableRow], request: EvaluateRequest, progress: Progress) -> None:
    if request.save:
        for row in rows:
            for path in row.draw(request.save):
                progress.note(f"wrote {path}")


def _report(
    rows: Sequence[TableRow],
    unread: Sequence[Failure],
    request: EvaluateRequest,
    protocol: Protocol,
) -> EvaluateReport:
    table = tuple(row.summary(request.seed) for row in rows if row.cases)
    return EvaluateReport(
        data=request.data,
        protocol=protocol.name,
        rows=table,
        cases=tuple(case for row in rows for case in row.cases),
        failures=(*unread, *(failure for row in rows for failure in row.failures)),
        split=request.split,
        about={"summary": protocol.summary, "source": protocol.source},
        resampling={"level": LEVEL, "resamples": RESAMPLES, "seed": request.seed, "over": "images"},
        metrics=_metrics(table, protocol),
        made_by={name: told for row in rows for name, told in row.made_by().items()},
    )


def _metrics(table: Sequence[Mapping[str, Any]], protocol: Protocol) -> dict[str, dict[str, str]]:
    """Which way each score of the table is better, its unit, and what it is about."""
    found = {}
    for name in score_names(table, besides=LABELS):
        metric = protocol.metric(name)
        found[name] = asdict(metric)
    if SECONDS in found:
        found[SECONDS] = asdict(Metric("lower", about="for the answer to one photo"))
    return found
