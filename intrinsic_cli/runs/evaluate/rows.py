"""One row in the making: an entrant meets case after case, and what goes wrong with one is no
matter for the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrinsic_cli.api import Case, IidError, PluginError, Progress, Source
from intrinsic_cli.requests import EvaluateRequest, Failure
from intrinsic_cli.runs.evaluate.candidates import Entrant, find_rules
from intrinsic_cli.runs.evaluate.case_sheets import Gallery
from intrinsic_cli.runs.evaluate.predictions import MissingError
from intrinsic_cli.runs.evaluate.score_cache import Ledger
from intrinsic_cli.runs.evaluate.statistics import SECONDS, intervals, means


class Contest:
    """The scored and the failed cases of one entrant."""

    def __init__(
        self,
        entrant: Entrant,
        request: EvaluateRequest,
        source: Source,
        ledger: Ledger,
        progress: Progress,
    ) -> None:
        self.name, self._timed, self._ledger = entrant.name, entrant.timed, ledger
        self._answer, self._figures = entrant.open(source, progress)
        self._gallery = Gallery() if request.save else None
        rules = find_rules(source.protocol)
        self._headline = rules.headline if rules else ""
        self._pool = rules.pool() if rules and rules.pool else None
        # A pool has to see layers, not figures, so there is nothing to remember.
        self._recipe = (
            {**entrant.recipe, "protocol": source.protocol}
            if entrant.recipe and not self._pool
            else {}
        )
        self.cases: list[dict[str, Any]] = []
        self.failures: list[Failure] = []
        self.error: IidError | None = None

    def meet(self, case: Case) -> bool:
        """Score one case. True unless it has nothing to score."""
        try:
            found = self._score(case)
        except Exception as error:
            self._fail(case, error)
            return True
        if found:
            self.cases.append({"method": self.name, "case": case.name, **found})
        return bool(found)

    def _score(self, case: Case) -> Mapping[str, Any]:
        """Figures and seconds, remembered or new."""
        key = self._ledger.key(self._recipe, case)
        known = self._ledger.find(key)
        if known is not None and not self._is_wanted(known):
            return known
        began = time.perf_counter()
        layers = self._answer(case)
        seconds = {SECONDS: time.perf_counter() - began} if self._timed else {}
        figures = dict(self._figures(case, layers))
        if figures and self._gallery:
            self._gallery.add(case, layers, *self._rank(figures))
        if figures and self._pool:
            self._pool.add(case, layers, figures)
        found = {**figures, **seconds} if figures else {}
        self._ledger.add(key, found)
        return found

    def _is_wanted(self, known: Mapping[str, Any]) -> bool:
        """Must a case whose figures are known be done again, for its picture?"""
        return (
            bool(known) and self._gallery is not None and self._gallery.wants(self._rank(known)[1])
        )

    def _rank(self, figures: Mapping[str, Any]) -> tuple[str, float]:
        """The figure that cases are ranked by: the protocol's own, else the first there is."""
        name = self._headline if self._headline in figures else next(iter(figures))
        return name, float(figures[name])

    def _fail(self, case: Case, error: Exception) -> None:
        told = error if isinstance(error, IidError) else _unexpected(error)
        if self.error is None:
            self.error = told
        files = error.files if isinstance(error, MissingError) else ()
        self.failures.append(Failure(self.name, case.name, told.message, files))

    def row(self, protocol: str, seed: int) -> dict[str, Any]:
        """Method, protocol, number of scored cases, every figure (the mean over the cases, or what
        belongs to all of them together), and where the means lie."""
        about = {"method": self.name, "protocol": protocol, "cases": len(self.cases)}
        pooled: Mapping[str, float] = self._pool.figures() if self._pool else {}
        spread = {
            name: ends for name, ends in intervals(self.cases, seed).items() if name not in pooled
        }
        return {**about, **pooled, **means(self.cases), **pooled, "intervals": spread}

    def draw(self, folder: Path) -> list[Path]:
        """The worst and the best cases as pictures below ``folder``."""
        return self._gallery.write(folder, self.name) if self._gallery else []


def _unexpected(error: Exception) -> PluginError:
    told = PluginError(f"unexpected {type(error).__name__}: {error}".splitlines()[0], "see --debug")
    told.__cause__ = error
    return told
