"""MIT under Barron & Malik's evaluation, with Fan et al.'s geometric means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import LMSE, SI_MSE
from intrinsic_cli.kit.score.planes import batch, comparable, factors_in, gray, named, with_mean

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

_LEAST = 1e-300  # a perfect answer has no logarithm


def mit_barron(case: Case, answer: Answer) -> Scores:
    """Masked, unclipped si-MSE (``mse``) and both local errors: ``grosse_lmse`` on gray, ``lmse``
    by Barron's tilings per channel. A table shows their geometric means
    (:class:`GeometricMean`)."""
    mask = batch(case.mask)
    scores: Scores = {}
    for name in factors_in(answer):
        truth = batch(case.truth[name])
        guess = comparable(batch(answer[name]), truth)
        scores |= named(
            name,
            mse=metrics.si_mse(guess, truth, mask),
            lmse=metrics.lmse_barron(guess, truth, mask),
            grosse_lmse=metrics.lmse(gray(guess), gray(truth), mask),
        )
    return with_mean(scores, "lmse", "grosse_lmse")


class GeometricMean:
    """A :class:`~intrinsic_cli.api.protocols.Pool`: ``NAME_geometric`` of every score, as Fan et
    al. print."""

    def __init__(self) -> None:
        self._logs: dict[str, list[float]] = {}

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in the scores of one photo."""
        for name, value in scores.items():
            self._logs.setdefault(name, []).append(math.log(max(value, _LEAST)))

    def scores(self) -> Scores:
        """exp of the mean log."""
        means: Scores = {}
        for name, logs in self._logs.items():
            means[f"{name}_geometric"] = math.exp(sum(logs) / len(logs))
        return means


_GEOMETRIC = Metric("lower", about="geometric mean over photos")

MIT_BARRON = Protocol(
    name="mit-barron",
    summary="masked, MSE and LMSE with geometric means over images",
    source="Barron & Malik's evaluation, Fan et al.'s means",
    score=mit_barron,
    metrics={
        "mse": SI_MSE,
        "lmse": Metric("lower", about="as Grosse's, for each channel, in other windows"),
        "grosse_lmse": LMSE,
        "mse_geometric": _GEOMETRIC,
        "lmse_geometric": _GEOMETRIC,
    },
    pool=GeometricMean,
    baselines=PRODUCTS,
    shows=FACTORS,
)
