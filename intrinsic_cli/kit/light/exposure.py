"""Photos as encoders like them: exposure taken out, brightness compressed."""

from __future__ import annotations

from torch import Tensor

_DARK = 1e-4


def exposure(photo: Tensor) -> Tensor:
    """Mean of all channels over the lit pixels, [B,3,H,W] linear → [B,1,1,1]; black backgrounds do
    not count."""
    light = photo.mean(1, keepdim=True)
    brightest = light.amax((2, 3), keepdim=True)
    lit = (light > 0.02 * brightest).to(light.dtype)
    total = (light * lit).sum((2, 3), keepdim=True)
    count = lit.sum((2, 3), keepdim=True)
    return (total / count.clamp_min(1)).clamp_min(_DARK)


def encode_photo(photo: Tensor, level: Tensor) -> Tensor:
    """Linear photo → values in -1..1 for the encoder: a soft shoulder keeps highlights apart, a
    root brightens shadows."""
    x = (photo / level).clamp_min(0)
    return (x / (x + 1)).pow(0.6) * 2 - 1
