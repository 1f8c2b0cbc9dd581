"""IIW (Bell et al. 2014): human judgements of lightness."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.metrics import Judgements
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.planes import batch

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

_DELTAS = {"whdr": 0.10, "whdr_20": 0.20}


def whdr(case: Case, answer: Answer, encoded: bool = False) -> Scores:
    """``whdr`` (δ .10) and ``whdr_20`` of the albedo, linear (or as sRGB codes, if ``encoded``).

    ``case.facts["judgements"]``: ``points`` [N,2,2], ``darker`` [N], ``weights`` [N], see
    :class:`~intrinsic_cli.kit.metrics.Judgements`. Photos without judgements have no scores."""
    given = case.facts["judgements"]
    if "albedo" not in answer or not len(given["darker"]):
        return {}
    judgements = Judgements(
        points=torch.from_numpy(given["points"]),
        darker=torch.from_numpy(given["darker"]),
        weights=torch.from_numpy(given["weights"]),
    )
    albedo = batch(answer["albedo"])[0]
    scores: Scores = {}
    for name, delta in _DELTAS.items():
        scores[name] = metrics.whdr(albedo, judgements, delta, encoded).item()
    return scores


_ABOUT = "weighted share of pairs of points that people compare otherwise"


def _protocol(name: str, summary: str, encoded: bool) -> Protocol:
    return Protocol(
        name=name,
        summary=summary,
        source="Bell et al. 2014: weighted human disagreement, equal within 10 % (whdr) and 20 %",
        score=partial(whdr, encoded=encoded),
        metrics={"whdr": Metric(about=_ABOUT), "whdr_20": Metric(about=f"{_ABOUT}, within 20 %")},
        headline="whdr",
        reads=("albedo",),
        baselines=PRODUCTS,
        shows=FACTORS,
    )


WHDR = _protocol("whdr", "judgements of lightness, linear albedo", encoded=False)
WHDR_ENCODED = _protocol("whdr-encoded", "judgements of lightness, sRGB codes", encoded=True)
