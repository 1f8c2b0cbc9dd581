"""One face under many lights: does its albedo stay, and is it seen where each light comes from?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iid_residual.protocols import baselines, light
from intrinsic_cli.api import Case, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import SI_RMSE
from intrinsic_cli.kit.score.constancy import CONSTANCY, ConstancyPool, reconstruction
from intrinsic_cli.kit.score.planes import batch, comparable

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores


def faces_light(case: Case, answer: Answer) -> Scores:
    """Where the light comes from (:mod:`~iid_residual.protocols.light`), the albedo's si-RMSE where
    it is known, and ``reconstruction_mse`` of albedo · shading; the constancy of a face is a matter
    of all its photos together."""
    scores = {**light.light_scores(case, answer), **reconstruction(case, answer)}
    if "albedo" in answer and "albedo" in case.truth:
        truth = batch(case.truth["albedo"])
        guess = comparable(batch(answer["albedo"]), truth)
        scores["albedo_si_rmse"] = metrics.si_rmse(guess, truth, batch(case.mask)).item()
    return scores


class FacesLightPool:
    """Constancy of the albedo across the lights of each face, lights that could not be scored."""

    def __init__(self) -> None:
        self._constancy, self._lights = ConstancyPool(), light.LeftOut()

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        self._constancy.add(case, answer, scores)
        self._lights.add(case, answer, scores)

    def scores(self) -> Scores:
        """Of both."""
        return {**self._constancy.scores(), **self._lights.scores()}


FACES_LIGHT = Protocol(
    name="faces-light",
    summary="one face under many lights, masked",
    source="our own: light to the truth, 1 − squared cosine of the albedos of one face",
    score=faces_light,
    metrics={**CONSTANCY.metrics, **light.METRICS, "si_rmse": SI_RMSE},
    headline="light_angle",
    reads=(*FACTORS, "light"),
    pool=FacesLightPool,
    baselines={**PRODUCTS, "fitted light": baselines.fitted_light},
    shows=FACTORS,
)
