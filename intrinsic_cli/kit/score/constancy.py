"""One object under many lights: does its albedo stay?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import RECONSTRUCTION_MSE
from intrinsic_cli.kit.score.planes import batch

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

_LEAST = 1e-12  # photos that are all alike would make the ratio infinite


def reconstruction(case: Case, answer: Answer) -> Scores:
    """``reconstruction_mse`` of albedo · shading: the constancy of an object is a matter of all its
    photos together."""
    if "albedo" not in answer or "shading" not in answer:
        return {}
    product = batch(answer["albedo"]) * batch(answer["shading"])
    error = metrics.reconstruction(product, batch(case.photo), batch(case.mask))
    return {"reconstruction_mse": error.item()}


class ConstancyPool:
    """Albedo constancy across the lights of each scene (``case.facts["scene"]``), mean over scenes;
    the same of the photos, and the ratio: below 1 the albedos are steadier than what they were made
    from. Cases come scene by scene, so that only one scene is held in memory."""

    def __init__(self) -> None:
        self._scene = ""
        self._albedos: list[Tensor] = []
        self._photos: list[Tensor] = []
        self._masks: list[Tensor] = []
        self._of_albedos: list[float] = []
        self._of_photos: list[float] = []

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo; a new scene closes the one before."""
        if case.facts["scene"] != self._scene:
            self._close_scene()
            self._scene = case.facts["scene"]
        if "albedo" in answer:
            self._albedos.append(batch(answer["albedo"])[0])
            self._photos.append(batch(case.photo)[0])
            self._masks.append(batch(case.mask)[0])

    def scores(self) -> Scores:
        """Nothing where no scene was seen under two lights."""
        self._close_scene()
        if not self._of_albedos:
            return {}
        albedo = sum(self._of_albedos) / len(self._of_albedos)
        photo = sum(self._of_photos) / len(self._of_photos)
        return {
            "constancy": albedo,
            "photo_constancy": photo,
            "constancy_ratio": albedo / max(photo, _LEAST),
        }

    def _close_scene(self) -> None:
        """Measure the scene seen so far, where every one of its photos is known."""
        if len(self._albedos) > 1:
            known = torch.stack(self._masks).amin(0)
            albedo = metrics.albedo_constancy(torch.stack(self._albedos), known)
            photo = metrics.albedo_constancy(torch.stack(self._photos), known)
            self._of_albedos.append(albedo.item())
            self._of_photos.append(photo.item())
        self._albedos, self._photos, self._masks = [], [], []


CONSTANCY = Protocol(
    name="constancy",
    summary="one object under several lights, masked",
    source="our own: 1 − squared cosine of its albedos, mean over pairs, then objects",
    score=reconstruction,
    metrics={
        "reconstruction_mse": RECONSTRUCTION_MSE,
        "constancy": Metric("lower", about="how unlike the albedos of one paint are, 0 if alike"),
        "constancy_ratio": Metric("lower", about="the same over that of the photos"),
    },
    headline="reconstruction_mse",
    reads=FACTORS,
    pool=ConstancyPool,
    baselines=PRODUCTS,
    shows=FACTORS,
)
