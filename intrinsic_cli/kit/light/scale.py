"""What goes before and after a network when it decomposes a photo."""

from __future__ import annotations

from torch import Tensor

from intrinsic_cli.kit.light.resize import resize, round_to

_LARGER = 1.5  # how far a small photo is enlarged towards the size the network works best at
_WHITE = 0.995  # share of pixels whose albedo must not exceed 1


def enlarged(photos: Tensor, size: int, multiple: int) -> Tensor:
    """Photos [B,3,H,W] with a short side below ``size`` come nearer to it."""
    height, width = photos.shape[-2:]
    scale = min(_LARGER, size / min(height, width))
    if scale <= 1:
        return photos
    return resize(photos, (round_to(height * scale, multiple), round_to(width * scale, multiple)))


def reflectance_below_one(albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """Brightness moved from albedo to shading until (almost) no albedo reflects more than it
    receives."""
    excess = albedo.amax(1).flatten(1).quantile(_WHITE, dim=1).clamp_min(1)[:, None, None, None]
    return albedo / excess, shading * excess
