"""How brightness is shared between the layers."""

from __future__ import annotations

from torch import Tensor

_WHITE = 0.995  # share of pixels whose albedo must not exceed 1


def reflectance_below_one(albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """Brightness moved from albedo to shading until (almost) no albedo reflects more than it
    receives."""
    excess = albedo.amax(1).flatten(1).quantile(_WHITE, dim=1).clamp_min(1)[:, None, None, None]
    return albedo / excess, shading * excess
