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

#: How much the direction of a light from behind counts: the face hardly shows it.
_BEHIND = 0.4
_TINY = 1e-6


def table_losses(design: Design, made: Prediction, truth: Truth) -> dict[str, Tensor]:
    """The design's terms but the adversarial one, each already weighted.

    The photo is rebuilt with an albedo that does not learn from it, so that what belongs to the
    paint cannot hide in the residual."""
    terms = design.terms
    known, mask = truth.known, truth.mask
    albedo = made.albedo.detach() if design.residual else made.albedo
    losses = {
        "normals": _loss(terms["normals"], made.normals, truth.normals, known),
        "albedo": _compared_loss(terms["albedo"], made.albedo, truth.albedo, known),
        "rebuilt": _compared_loss(terms["rebuilt"], albedo * made.shading, truth.photo, mask),
    }
    if made.light is not None and made.harmonic is not None:
        losses["light"] = _light_loss(terms["light"], made.light, truth)
        harmonic = terms["harmonic"]
        losses["harmonic"] = _compared_loss(harmonic, made.harmonic, truth.harmonic, known)
    if "shading" in terms:
        shading = terms["shading"]
        losses["shading"] = _compared_loss(shading, made.shading, truth.shading, known)
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
    guess = made.outline
    wanted = F.interpolate(truth.outline, size=guess.shape[-2:], mode="area")
    errors = F.binary_cross_entropy_with_logits(guess, wanted, reduction="none")
    known = errors.mean((1, 2, 3)) * truth.lit[:, 0]
    return {"outline": weight * known.mean()}


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


def _compared_loss(term: Term, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Of linear numbers, as eyes compare them."""
    return _loss(term, compared(guess), compared(truth), mask)


def _light_loss(term: Term, light: Tensor, truth: Truth) -> Tensor:
    """Of the numbers, and of where most of the light comes from: the distance of the two directions
    grows as the angle does, not as its square, which would follow the lights that hardly show."""
    errors = distance(term.distance, light, truth.light)
    off = errors.mean(1, keepdim=True)
    wanted = direction(truth.light)
    apart = (direction(light) - wanted).square().sum(1, keepdim=True)
    aside = (apart + _TINY).sqrt()
    front = wanted[:, 2:] > 0
    shown = torch.where(front, 1.0, _BEHIND)
    known = (off + shown * aside) * truth.lit
    return term.weight * known.mean()


def _rmse(guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    return masked((guess - truth).square(), mask).sqrt()


def _si_rmse(guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Root mean square error after each sample's best scale; mean over the samples."""
    guess, truth = guess * mask, truth * mask
    product = _sums(guess * truth)
    energy = _sums(guess.square())
    scale = product / energy.clamp_min(1e-8)
    errors = _sums((guess * scale - truth).square())
    count = _sums(mask) * guess.shape[1]
    return (errors / count.clamp_min(1)).sqrt().mean()


def _sums(x: Tensor) -> Tensor:
    """[B,C,h,w] → [B,1,1,1]."""
    return x.sum((1, 2, 3), keepdim=True)
