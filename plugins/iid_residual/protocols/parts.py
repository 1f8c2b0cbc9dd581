"""What a network itself makes of a face, beside the layers that rebuild the photo exactly.

The layers ``rebuilt`` (albedo · all of the shading) and ``rebuilt_by_harmonics`` (albedo · that of
light and normals alone) are the photo as the network draws it; ``-O rebuilt=true`` asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from intrinsic_cli.api import Case, Metric
from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.score.planes import batch, gray

if TYPE_CHECKING:
    from intrinsic_cli.api.protocols import Answer, Scores

REBUILT = ("rebuilt", "rebuilt_by_harmonics")
#: Side in pixels at which both are compared with the photo: the smallest that networks draw.
SIDE = 64
_SOLID = 0.99  # of a pixel that must be inside the mask
_EVEN = 1e-12  # the spread of gradients below which they are all the same
_DARK = 1e-3  # the least albedo that a residual is divided by

_REBUILT = Metric(about="difference of the network's own product from the photo, of 255")
_BY_HARMONICS = Metric(about="the same without what harmonics cannot express")

METRICS: Mapping[str, Metric] = {
    "rebuilt_l1": _REBUILT,
    "rebuilt_rms": _REBUILT,
    "rebuilt_by_harmonics_l1": _BY_HARMONICS,
    "rebuilt_by_harmonics_rms": _BY_HARMONICS,
    "residual_energy": Metric("neither", about="size of the residual shading over all of it"),
    "leakage": Metric(about="how far albedo and shading change at the same places"),
}


def rebuilt_scores(case: Case, answer: Answer) -> Scores:
    """``rebuilt_l1`` and ``…_rms`` (255·‖R−I‖₂ over the colours, mean and root mean square in the
    mask), with and without what harmonics miss. Photo and answer are made small alike."""
    scores: Scores = {}
    photo = _small(batch(case.photo))
    mask = _small(batch(case.mask)) > _SOLID
    for name in REBUILT:
        if name in answer and mask.any():
            made = _small(batch(answer[name]))
            mean, rms = metrics.face_reconstruction(made.expand_as(photo), photo, mask)
            scores[f"{name}_l1"], scores[f"{name}_rms"] = mean.item(), rms.item()
    return scores


def residual_scores(case: Case, answer: Answer) -> Scores:
    """``residual_energy`` = ‖r‖/‖S‖ in the mask, where the residual layer is albedo · r; and
    ``leakage``: the correlation of where albedo and shading change."""
    if "albedo" not in answer or "shading" not in answer:
        return {}
    mask = batch(case.mask).bool()
    albedo, shading = batch(answer["albedo"]), batch(answer["shading"])
    scores: Scores = {}
    if "residual" in answer:
        extra = batch(answer["residual"]) / albedo.clamp_min(_DARK)
        scores["residual_energy"] = (_energy(extra, mask) / _energy(shading, mask)).item()
        shading = shading + extra
    leak = _correlation(_steepness(gray(albedo)), _steepness(gray(shading)), _inner(mask))
    return scores if leak is None else {**scores, "leakage": leak}


def _small(x: Tensor) -> Tensor:
    """[1,C,H,W] whose shorter side is at most :data:`SIDE`, by means over squares."""
    height, width = x.shape[-2:]
    scale = SIDE / min(height, width)
    if scale >= 1:
        return x
    return interpolate(x, size=(round(height * scale), round(width * scale)), mode="area")


def _energy(x: Tensor, mask: Tensor) -> Tensor:
    """Root mean square in the mask, never 0."""
    count = mask.sum() * x.shape[1]
    total = (x.square() * mask).sum()
    return (total / count.clamp_min(1)).sqrt().clamp_min(1e-12)


def _steepness(x: Tensor) -> Tensor:
    """Lengths of the gradient [1,1,H-1,W-1]."""
    across = x[..., :-1, 1:] - x[..., :-1, :-1]
    down = x[..., 1:, :-1] - x[..., :-1, :-1]
    return torch.hypot(across, down)


def _inner(mask: Tensor) -> Tensor:
    """Where a gradient is that of pixels inside alone."""
    return mask[..., :-1, :-1] & mask[..., :-1, 1:] & mask[..., 1:, :-1]


def _correlation(one: Tensor, other: Tensor, mask: Tensor) -> float | None:
    """Pearson's, over the pixels inside; None where one of them is the same everywhere."""
    pair = torch.stack([one[mask], other[mask]])
    if pair.shape[1] < 2:
        return None
    spread = pair.std(dim=1)
    if float(spread.min()) < _EVEN:
        return None
    between = torch.corrcoef(pair)
    return float(between[0, 1])
