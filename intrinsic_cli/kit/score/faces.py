"""Faces and birds: normals, face albedo, reconstruction, silhouettes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from intrinsic_cli.api import Case
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.protocol import Figures, Layers, batch, comparable, gray

_BELOW = (11.25, 20, 22.5, 25, 30)


def faces(case: Case, layers: Layers) -> Figures:
    """Normals (mean, median, RMSE and % within some angles), albedo (si-RMSE, LMSE, SSIM) and
    reconstruction with and without the residual layer, in the face mask. Normals as everywhere: x
    right, y up, z to the viewer."""
    mask = batch(case.mask)
    figures: Figures = {}
    if "albedo" in layers and "albedo" in case.truth:
        truth = batch(case.truth["albedo"])
        guess = comparable(batch(layers["albedo"]), truth)
        figures["albedo_si_rmse"] = metrics.si_rmse(guess, truth, mask).item()
        figures["albedo_lmse"] = metrics.lmse(gray(guess), gray(truth), mask).item()
        figures["albedo_ssim"] = metrics.ssim(guess.expand_as(truth), truth, mask=mask).item()
    if "normals" in layers and "normals" in case.truth and case.mask.any():
        found = metrics.normals_error(batch(layers["normals"]), batch(case.truth["normals"]), mask)
        figures = {**_angles(found), **figures}
    return figures | _reconstructions(case, layers, mask)


def birds(case: Case, layers: Layers) -> Figures:
    """Intersection over union of the ``mask`` layer, hard and soft, and 1 − hard as
    ``mask_error``."""
    if "mask" not in layers:
        return {}
    guess, truth = gray(batch(layers["mask"])), batch(case.truth["mask"])
    hard, soft = (metrics.iou(guess, truth, soft).item() for soft in (False, True))
    return {"mask_error": 1 - hard, "iou": hard, "soft_iou": soft}


class NormalsPool:
    """Normals' angles pooled over the pixels of all photos, as tables print them (the mean over
    photos is another number). The median over all pixels would need every angle: histogram bins of
    a twentieth of a degree stand in."""

    def __init__(self) -> None:
        self._bins = torch.zeros(3600, dtype=torch.float64)
        self._sums = torch.zeros(2, dtype=torch.float64)

    def add(self, case: Case, layers: Layers, figures: Mapping[str, float]) -> None:
        """Take in the angles of one photo."""
        if "normals" in layers and "normals" in case.truth:
            found = metrics.normals_error(
                batch(layers["normals"]), batch(case.truth["normals"]), batch(case.mask)
            )
            self._bins += torch.histc(found, 3600, 0, 180)
            self._sums += torch.stack([found.sum(), found.square().sum()])

    def figures(self) -> Figures:
        """Mean, standard deviation, RMSE, median and percentages within angles."""
        count = self._bins.sum()
        if not count:
            return {}
        share = self._bins.cumsum(0) / count
        mean, square = (self._sums / count).tolist()
        return {
            "normals_pooled_angle_mean": mean,
            "normals_pooled_angle_std": max(square - mean**2, 0.0) ** 0.5,
            "normals_pooled_angle_rmse": square**0.5,
            "normals_pooled_angle_median": (int(torch.searchsorted(share, 0.5)) + 0.5) / 20,
            **{
                f"normals_pooled_within_{limit:g}": 100 * share[int(limit * 20) - 1].item()
                for limit in _BELOW
            },
        }


def _angles(found: Tensor) -> Figures:
    return {
        "normals_angle_mean": found.mean().item(),
        "normals_angle_median": found.median().item(),
        "normals_angle_rmse": found.square().mean().sqrt().item(),
        **{
            f"normals_within_{limit:g}": metrics.share_below(found, limit).item()
            for limit in _BELOW
        },
    }


def _reconstructions(case: Case, layers: Layers, mask: Tensor) -> Figures:
    """``reconstruction_l1`` (255·‖R−I‖₂, mean) and ``reconstruction_rms`` of albedo · shading (+
    residual)."""
    if "albedo" not in layers or "shading" not in layers:
        return {}
    product, photo = batch(layers["albedo"]) * batch(layers["shading"]), batch(case.photo)
    products = {"reconstruction": product.expand_as(photo)}
    if "residual" in layers:
        products["reconstruction_with_residual"] = (product + batch(layers["residual"])).expand_as(
            photo
        )
    figures: Figures = {}
    for name, made in products.items():
        figures[f"{name}_l1"], figures[f"{name}_rms"] = (
            value.item() for value in metrics.face_reconstruction(made, photo, mask)
        )
    return figures
