"""One row of the table in the making: a candidate answers case after case, and what goes wrong with
one is no matter for the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import Case, IidError, PluginError, Protocol
from intrinsic_cli.requests import Failure
from intrinsic_cli.runs.evaluate.candidates import Candidate
from intrinsic_cli.runs.evaluate.case_sheets import CaseSheets, write_pictures
from intrinsic_cli.runs.evaluate.code import code_of
from intrinsic_cli.runs.evaluate.predictions import MissingError
from intrinsic_cli.runs.evaluate.score_cache import ScoreCache
from intrinsic_cli.runs.evaluate.statistics import SECONDS, intervals, means

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Scores


class TableRow:
    """The scored and the failed cases of one candidate. ``sheets`` are the pictures to draw of
    them, if any."""

    def __init__(
        self,
        candidate: Candidate,
        protocol: Protocol,
        cache: ScoreCache,
        sheets: CaseSheets | None = None,
    ) -> None:
        self._candidate, self._protocol = candidate, protocol
        self._cache, self._sheets = cache, sheets
        self._pool = protocol.pool() if protocol.pool else None
        # A pool has to see what was answered and not only scores, so there is nothing to remember.
        self._recipe: Mapping[str, Any] = {}
        if cache.path and candidate.recipe and not self._pool:
            self._recipe = _recipe(candidate, protocol)
        self.cases: list[dict[str, Any]] = []
        self.failures: list[Failure] = []
        self.error: IidError | None = None

    def take(self, case: Case) -> bool:
        """Score one case. True unless it has nothing to score. DataError where its scores cannot be
        remembered."""
        try:
            key = self._cache.key(self._recipe, case)
            known = self._known(key)
            scores = self._score(case) if known is None else known
        except Exception as error:
            self._fail(case, error)
            return True
        if known is None:
            self._cache.add(key, scores)
        if scores:
            self.cases.append({"method": self._candidate.name, "case": case.name, **scores})
        return bool(scores)

    def summary(self, seed: int) -> dict[str, Any]:
        """Method, protocol, number of scored cases, every score (the mean over the cases, or what
        belongs to all of them together), and where the means lie."""
        pooled: Scores = self._pool.scores() if self._pool else {}
        averages, spread = means(self.cases), intervals(self.cases, seed)
        for name in pooled:
            averages.pop(name, None)
            spread.pop(name, None)
        return {
            "method": self._candidate.name,
            "protocol": self._protocol.name,
            "cases": len(self.cases),
            **pooled,
            **averages,
            "intervals": spread,
        }

    def made_by(self) -> dict[str, Mapping[str, Any]]:
        """What its numbers hang on, by the name of the row; {} of what is no method."""
        told = self._candidate.made_by()
        return {self._candidate.name: told} if told else {}

    def draw(self, folder: Path) -> list[Path]:
        """The worst and the best cases as pictures below ``folder``, and what the pool has to
        show."""
        if self._sheets is None:
            return []
        written = self._sheets.write(folder, self._candidate.name)
        pictures = self._protocol.pictures
        if self._pool is None or pictures is None:
            return written
        return [*written, *write_pictures(folder, self._candidate.name, pictures(self._pool))]

    def _known(self, key: str) -> Mapping[str, Any] | None:
        """Scores and seconds that are remembered, {} of what has nothing to score; None where the
        case must be done, again perhaps, for its picture."""
        known = self._cache.find(key)
        return None if known is None or self._needs_picture(known) else known

    def _score(self, case: Case) -> Mapping[str, Any]:
        began = time.perf_counter()
        answer = self._candidate.answer(case)
        seconds = time.perf_counter() - began
        scores = dict(self._candidate.score(self._protocol, case, answer))
        if not scores:
            return {}
        if self._sheets:
            name = self._ranked_by(scores)
            title = f"{name} {scores[name]:.4f}"
            self._sheets.add(case, answer, title, self._error(scores))
        if self._pool:
            self._pool.add(case, answer, scores)
        return {**scores, SECONDS: seconds} if self._candidate.timed else scores

    def _needs_picture(self, known: Mapping[str, Any]) -> bool:
        """Must a case whose scores are known be done again, for its picture?"""
        if not known or self._sheets is None:
            return False
        return self._sheets.wants(self._error(known))

    def _ranked_by(self, scores: Mapping[str, Any]) -> str:
        """The score that cases are ranked by: the protocol's own, else the first there is."""
        name = self._protocol.headline
        return name if name in scores else next(iter(scores))

    def _error(self, scores: Mapping[str, Any]) -> float:
        """The value cases are ranked by, lower is better."""
        name = self._ranked_by(scores)
        sign = -1 if self._protocol.metric(name).better == "higher" else 1
        return sign * float(scores[name])

    def _fail(self, case: Case, error: Exception) -> None:
        told = error if isinstance(error, IidError) else _unexpected(error)
        if self.error is None:
            self.error = told
        files = error.files if isinstance(error, MissingError) else ()
        self.failures.append(Failure(self._candidate.name, case.name, told.message, files))


def _recipe(candidate: Candidate, protocol: Protocol) -> dict[str, Any]:
    """What scores depend on besides the case. Who mends a plugin and evaluates again wants no
    scores of the method, or the protocol, as it was before."""
    modules = (__name__, candidate.module, protocol.score.__module__)
    return {**candidate.recipe, "protocol": protocol.name, "code": code_of(filter(None, modules))}


def _unexpected(error: Exception) -> PluginError:
    message = f"unexpected {type(error).__name__}: {error}".splitlines()[0]
    told = PluginError(message, "see --debug")
    told.__cause__ = error
    return told
