"""``iid evaluate``: methods and layers of other programs against truth, one row each, beside the
constant answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from intrinsic_cli.api import Case, DataError, IidError, Progress, Silent, Source, UsageError
from intrinsic_cli.api.data import Split
from intrinsic_cli.registry import Registry, load_registry, open_dataset
from intrinsic_cli.requests import EvaluateReport, EvaluateRequest, Failure
from intrinsic_cli.runs.evaluate.candidates import baselines, find_rules, gather
from intrinsic_cli.runs.evaluate.predictions import HINT, lacking
from intrinsic_cli.runs.evaluate.rows import Contest
from intrinsic_cli.runs.evaluate.score_cache import Ledger
from intrinsic_cli.runs.evaluate.statistics import LEVEL, RESAMPLES


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
    entrants = gather(request, registry)
    source = open_dataset(request.data, registry)
    ledger = Ledger(request.ledger)
    if len(ledger):
        progress.note(f"going on from {ledger.path}, which knows {len(ledger)} results")
    contests = [
        Contest(one, request, source, ledger, progress) for one in (*entrants, *baselines(source))
    ]
    unread = _run(contests, request, source, progress)
    _require(contests[: len(entrants)], request, source)
    _draw(contests[: len(entrants)], request, progress)
    report = _report(contests, unread, request, source)
    if not report.failures:
        ledger.close()
    return report


def _check(request: EvaluateRequest) -> None:
    if request.split not in get_args(Split):
        raise UsageError(
            f"there is no split called {request.split!r}", f"use {' or '.join(get_args(Split))}"
        )
    if request.save is not None and request.save.exists() and not request.save.is_dir():
        raise UsageError(f"{request.save} is a file, not a folder for pictures")


def _run(
    contests: Sequence[Contest], request: EvaluateRequest, source: Source, progress: Progress
) -> list[Failure]:
    """Every case is read once and shown to all. Returns the cases that could not be read."""
    unread: list[Failure] = []
    split: Any = request.split
    cases = source.cases(split)[: request.limit]
    progress.start(f"evaluate on {request.data}", len(cases))
    try:
        for case in _cases(cases, unread):
            scored = [contest.meet(case) for contest in contests]
            if not any(scored):
                progress.note(f"{case.name}: nothing to score")
            progress.advance()
    finally:
        progress.finish()
    return unread


def _cases(cases: Sequence[Case], unread: list[Failure]) -> Iterator[Case]:
    """The cases that can be read; what is wrong with the others goes to ``unread``."""
    for number in range(len(cases)):
        try:
            case = cases[number]
        except IidError as error:
            unread.append(Failure("", f"case {number + 1}", error.message))
            continue
        yield case


def _require(contests: Sequence[Contest], request: EvaluateRequest, source: Source) -> None:
    """An error where nothing at all was scored."""
    if any(contest.cases for contest in contests):
        return
    if files := [
        name for contest in contests for failure in contest.failures for name in failure.missing
    ]:
        raise DataError(lacking(", ".join(request.predictions), files), HINT)
    if error := next((contest.error for contest in contests if contest.error), None):
        raise error
    raise DataError(f"{source.name} has no case to score in its {request.split!r} split")


def _draw(contests: Sequence[Contest], request: EvaluateRequest, progress: Progress) -> None:
    if request.save:
        for path in (path for contest in contests for path in contest.draw(request.save)):
            progress.note(f"wrote {path}")


def _report(
    contests: Sequence[Contest], unread: Sequence[Failure], request: EvaluateRequest, source: Source
) -> EvaluateReport:
    rules = find_rules(source.protocol)
    return EvaluateReport(
        data=request.data,
        protocol=source.protocol,
        rows=tuple(
            contest.row(source.protocol, request.seed) for contest in contests if contest.cases
        ),
        cases=tuple(case for contest in contests for case in contest.cases),
        failures=(*unread, *(failure for contest in contests for failure in contest.failures)),
        split=request.split,
        about={"summary": rules.summary, "source": rules.source} if rules else {},
        resampling={"level": LEVEL, "resamples": RESAMPLES, "seed": request.seed, "over": "images"},
    )
