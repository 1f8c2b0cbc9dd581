"""Faces: normals, albedo, light, and how well what was found makes up the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from iid_residual.protocols import baselines, light, parts
from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score import normals
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.columns import LMSE, SI_RMSE, SSIM
from intrinsic_cli.kit.score.planes import batch, comparable, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores


def faces(case: Case, answer: Answer) -> Scores:
    """Normals (mean, median, RMSE and % within some angles), albedo (si-RMSE, LMSE, SSIM), light
    (:mod:`~iid_residual.protocols.light`), what the network itself draws
    (:mod:`~iid_residual.protocols.parts`) and the reconstruction by its layers with and without the
    residual one; all in the face mask."""
    mask = batch(case.mask)
    return {
        **normals.normals_scores(case, answer),
        **_albedo_scores(case, answer, mask),
        **light.light_scores(case, answer),
        **parts.rebuilt_scores(case, answer),
        **parts.residual_scores(case, answer),
        **_reconstruction_scores(case, answer, mask),
    }


class FacesPool:
    """What belongs to all photos together: angles of normals, lights that could not be scored."""

    def __init__(self) -> None:
        self._pools = (normals.NormalsPool(), light.LeftOut())

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        for pool in self._pools:
            pool.add(case, answer, scores)

    def scores(self) -> Scores:
        """Of both."""
        angles, lights = self._pools
        return {**angles.scores(), **lights.scores()}


def _albedo_scores(case: Case, answer: Answer, mask: Tensor) -> Scores:
    if "albedo" not in answer or "albedo" not in case.truth:
        return {}
    truth = batch(case.truth["albedo"])
    guess = comparable(batch(answer["albedo"]), truth)
    return {
        "albedo_si_rmse": metrics.si_rmse(guess, truth, mask).item(),
        "albedo_lmse": metrics.lmse(gray(guess), gray(truth), mask).item(),
        "albedo_ssim": metrics.ssim(guess.expand_as(truth), truth, mask=mask).item(),
    }


def _reconstruction_scores(case: Case, answer: Answer, mask: Tensor) -> Scores:
    """``reconstruction_l1`` (255·‖R−I‖₂, mean) and ``reconstruction_rms`` of albedo · shading (+
    residual). Layers that rebuild the photo exactly, as those of ``iid`` do, score 0 with it."""
    if "albedo" not in answer or "shading" not in answer:
        return {}
    photo = batch(case.photo)
    product = batch(answer["albedo"]) * batch(answer["shading"])
    made = {"reconstruction": product}
    if "residual" in answer:
        made["reconstruction_with_residual"] = product + batch(answer["residual"])
    scores: Scores = {}
    for name, picture in made.items():
        mean, rms = metrics.face_reconstruction(picture.expand_as(photo), photo, mask)
        scores[f"{name}_l1"], scores[f"{name}_rms"] = mean.item(), rms.item()
    return scores


_PRODUCT = Metric("lower", about="difference of albedo · shading from the photo, of 255")
_SUM = Metric("lower", about="the same with the residual added")

FACES = Protocol(
    name="faces",
    summary="masked faces",
    source="SfSNet and its successors",
    score=faces,
    metrics={
        **normals.METRICS,
        **light.METRICS,
        **parts.METRICS,
        "si_rmse": SI_RMSE,
        "lmse": LMSE,
        "ssim": SSIM,
        "reconstruction_l1": _PRODUCT,
        "reconstruction_rms": _PRODUCT,
        "with_residual_l1": _SUM,
        "with_residual_rms": _SUM,
    },
    headline="albedo_lmse",
    reads=(*FACTORS, "residual", *parts.REBUILT, "light"),
    pool=FacesPool,
    baselines={
        **PRODUCTS,
        "mean face": baselines.mean_face,
        "fitted light": baselines.fitted_light,
    },
    shows=("albedo", "shading", "normals"),
)
