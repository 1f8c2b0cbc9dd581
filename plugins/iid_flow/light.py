"""Photos and shading as the networks see them: exposure taken out, brightness compressed, light in logarithms."""

from __future__ import annotations

import torch
from torch import Tensor

_FLOOR = 1e-4


def exposure(photo: Tensor) -> Tensor:
    """Mean luminance of the lit pixels, [B,3,H,W] linear → [B,1,1,1]; black backgrounds do not count."""
    light = photo.mean(1, keepdim=True)
    lit = (light > 0.02 * light.amax((2, 3), keepdim=True)).to(light.dtype)
    total = (light * lit).sum((2, 3), keepdim=True)
    return (total / lit.sum((2, 3), keepdim=True).clamp_min(1)).clamp_min(_FLOOR)


def encode_photo(photo: Tensor, level: Tensor) -> Tensor:
    """Linear photo → values in -1..1 for the encoder: a soft shoulder keeps highlights apart, a root lifts shadows."""
    x = (photo / level).clamp_min(0)
    return (x / (x + 1)).pow(0.6) * 2 - 1


def to_log(shading: Tensor, level: Tensor) -> Tensor:
    """Linear RGB shading → (mean log, log R - log G, log B - log G) relative to ``level``, [B,3,H,W]."""
    r, g, b = (shading / level).clamp_min(_FLOOR).log().clamp(-6, 4).unbind(1)
    return torch.stack([(r + g + b) / 3, r - g, b - g], 1)


def from_log(code: Tensor, level: Tensor) -> Tensor:
    """The inverse of :func:`to_log`."""
    mean, rg, bg = code.unbind(1)
    g = mean - (rg + bg) / 3
    return torch.stack([g + rg, g, g + bg], 1).exp() * level
