"""MPI Sintel as Fan et al. 2018 score it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import DSSIM, SI_MSE
from intrinsic_cli.kit.score.planes import batch, comparable, factors_in, named, with_mean

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores


def sintel(case: Case, answer: Answer) -> Scores:
    """No mask: clipped si-MSE, its mean over windows (``lmse``) and DSSIM, of albedo, shading and
    both. Papers print them times 100."""
    scores: Scores = {}
    for name in factors_in(answer):
        truth = batch(case.truth[name])
        guess = comparable(batch(answer[name]), truth).expand_as(truth)
        scores |= named(
            name,
            si_mse=metrics.si_mse(guess, truth, clip=True),
            lmse=metrics.lmse_sintel(guess, truth),
            dssim=metrics.dssim_sintel(guess, truth),
        )
    return with_mean(scores, "lmse", "si_mse", "dssim")


_LMSE = Metric("lower", about="mean squared error in windows, each at its best scale")

SINTEL = Protocol(
    name="sintel",
    summary="no mask, numbers as stored",
    source="Fan et al. 2018 (papers print ×100)",
    score=sintel,
    metrics={"si_mse": SI_MSE, "lmse": _LMSE, "dssim": DSSIM},
    baselines=PRODUCTS,
    shows=FACTORS,
)
