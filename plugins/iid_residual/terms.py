"""The losses of the table, formed on one batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_residual.domain import compared
from iid_residual.harmonics import direction
from iid_residual.losses import angle, distance, masked, unevenness
from iid_residual.networks.pipe import Prediction
from iid_residual.truth import Truth
from iid_residual.variants import Design, Term


def table_losses(design: Design, made: Prediction, truth: Truth) -> dict[str, Tensor]:
    """The design's terms but the adversarial one, each already weighted.

    The photo is rebuilt with an albedo that does not learn from it, so that what belongs to the
    paint cannot hide in the residual."""
    terms = design.terms
    known, mask = truth.known, truth.mask
    albedo = made.albedo.detach() if design.residual else made.albedo
    losses = {
        "normals": _loss(terms["normals"], made.normals, truth.normals, known),
        "albedo": _loss(terms["albedo"], compared(made.albedo), compared(truth.albedo), known),
        "rebuilt": _loss(
            terms["rebuilt"], compared(albedo * made.shading), compared(truth.photo), mask
        ),
    }
    if made.light is not None and made.harmonic is not None:
        errors = distance(terms["light"].distance, made.light, truth.light) * truth.lit
        losses["light"] = terms["light"].weight * errors.mean()
        harmonic = compared(truth.harmonic)
        losses["harmonic"] = _loss(terms["harmonic"], compared(made.harmonic), harmonic, known)
    if "shading" in terms:
        shading = compared(truth.shading)
        losses["shading"] = _loss(terms["shading"], compared(made.shading), shading, known)
    return losses


def residual_losses(
    made: Prediction, truth: Truth, size_weight: float, smooth_weight: float
) -> dict[str, Tensor]:
    """What keeps a residual small and even; nothing of it is published."""
    if made.residual is None:
        return {}
    size = masked(made.residual.abs(), truth.mask)
    uneven = unevenness(made.residual, truth.mask)
    return {"residual": size_weight * size + smooth_weight * uneven}


def outline_loss(made: Prediction, truth: Truth, weight: float) -> dict[str, Tensor]:
    """Of the head's outline, on samples that know it."""
    if made.outline is None:
        return {}
    size = (made.outline.shape[-2], made.outline.shape[-1])
    wanted = F.interpolate(truth.outline, size=size, mode="area")
    errors = F.binary_cross_entropy_with_logits(made.outline, wanted, reduction="none")
    return {"outline": weight * (errors.mean((1, 2, 3)) * truth.lit[:, 0]).mean()}


def measures(made: Prediction, truth: Truth) -> dict[str, Tensor]:
    """What people ask for: degrees of normals and light, scale-invariant error of the albedo, and
    how well the photo is rebuilt by harmonics alone and by all of the shading."""
    known = truth.known
    found = {
        "normals °": masked(angle(made.normals, truth.normals), known),
        "albedo": _si_rmse(made.albedo, truth.albedo, known),
        "rebuilt": _rmse(made.rebuilt, truth.photo, truth.mask),
    }
    if made.light is not None and made.harmonic is not None:
        off = angle(direction(made.light), direction(truth.light))
        found["light °"] = (off * truth.lit).sum() / truth.lit.sum().clamp_min(1)
        alone = made.harmonic.clamp(min=0) * made.albedo
        found["rebuilt by harmonics"] = _rmse(alone, truth.photo, truth.mask)
    return found


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """All added up."""
    return torch.stack(list(losses.values())).sum()


def _loss(term: Term, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    return term.weight * masked(distance(term.distance, guess, truth), mask)


def _rmse(guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    return masked((guess - truth).square(), mask).sqrt()


def _si_rmse(guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Root mean square error after each sample's best scale; mean over the samples."""
    axes = (1, 2, 3)
    scale = (guess * truth * mask).sum(axes) / (guess.square() * mask).sum(axes).clamp_min(1e-8)
    errors = (guess * scale[:, None, None, None] - truth).square() * mask
    count = (mask.sum(axes) * guess.shape[1]).clamp_min(1)
    return (errors.sum(axes) / count).sqrt().mean()
