"""Faces: normals, albedo, and how well the layers make up the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from intrinsic_cli.api import Case, Metric, Protocol
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score import normals
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.planes import batch, comparable, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores


def faces(case: Case, answer: Answer) -> Scores:
    """Normals (mean, median, RMSE and % within some angles), albedo (si-RMSE, LMSE, SSIM) and
    reconstruction with and without the residual layer, in the face mask."""
    mask = batch(case.mask)
    return {
        **normals.normals_scores(case, answer),
        **_albedo_scores(case, answer, mask),
        **_reconstruction_scores(case, answer, mask),
    }


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
    residual)."""
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


FACES = Protocol(
    name="faces",
    summary="masked faces",
    source="SfSNet and its successors",
    score=faces,
    metrics={
        **normals.METRICS,
        "si_rmse": Metric("lower"),
        "lmse": Metric("lower"),
        "ssim": Metric("higher"),
        "reconstruction_l1": Metric("lower"),
        "reconstruction_rms": Metric("lower"),
        "with_residual_l1": Metric("lower"),
        "with_residual_rms": Metric("lower"),
    },
    headline="albedo_lmse",
    reads=(*FACTORS, "residual"),
    pool=normals.NormalsPool,
    baselines=PRODUCTS,
    shows=(*FACTORS, "normals"),
)
