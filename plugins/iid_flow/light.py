"""Shading as the auto-encoder sees it: the white point taken out, in logarithms, brightness apart
from colour."""

from __future__ import annotations

import torch
from torch import Tensor

_FLOOR = 1e-4


def to_log(shading: Tensor, level: Tensor) -> Tensor:
    """Linear RGB shading → (mean log, log R - log G, log B - log G) relative to ``level``
    [B,1 or 3,1,1], [B,3,H,W]."""
    r, g, b = (shading / level).clamp_min(_FLOOR).log().clamp(-6, 4).unbind(1)
    return torch.stack([(r + g + b) / 3, r - g, b - g], 1)


def from_log(log_shading: Tensor, level: Tensor) -> Tensor:
    """The inverse of :func:`to_log`."""
    mean, rg, bg = log_shading.unbind(1)
    g = mean - (rg + bg) / 3
    return torch.stack([g + rg, g, g + bg], 1).exp() * level
