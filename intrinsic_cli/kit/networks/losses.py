"""Losses several methods train with. A mask [B,1,H,W] tells where the truth holds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gradient_loss(error: Tensor, mask: Tensor, scales: int = 5) -> Tensor:
    """Mean absolute differences of neighbours of the error, over ``scales`` halvings, per sample
    [B]."""
    total = error.new_zeros(error.shape[0])
    for scale in range(scales):
        if scale:
            error, mask = _halve(error, mask)
        if min(error.shape[-2:]) < 2:
            break
        for axis in (2, 3):
            both = mask.narrow(axis, 1, mask.shape[axis] - 1) * mask.narrow(
                axis, 0, mask.shape[axis] - 1
            )
            total = total + masked_mean(error.diff(dim=axis).abs(), both).sum(1)
    return total


def scale_invariant_loss(
    predicted: Tensor, truth: Tensor, mask: Tensor, window: int | None = None
) -> Tensor:
    """Squared error after the best scale, as a part of the truth's energy, per sample: [B,C,H,W]
    linear → [B].

    One scale for everything (si-MSE), or one for each half-overlapping ``window`` (LMSE of Grosse
    et al. 2009)."""
    products = torch.stack([predicted * predicted, predicted * truth, truth * truth])
    sums = (products * mask).sum(2).transpose(0, 1)
    pp, pt, tt = _pool(sums, window).unbind(1)
    # With the best scale pt / pp this is what remains of the truth's energy.
    error = tt - pt.square() / pp.clamp_min(1e-6)
    energy = tt.sum((1, 2)).clamp_min(1e-6)
    return error.clamp_min(0).sum((1, 2)) / energy


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """[B,C,H,W] → [B,C]; 0 where nothing is masked in."""
    return (x * mask).sum((2, 3)) / mask.sum((2, 3)).clamp_min(1)


def _pool(sums: Tensor, window: int | None) -> Tensor:
    """Means over half-overlapping windows, or over everything."""
    if window:
        return F.avg_pool2d(sums, window, window // 2)
    return sums.mean((2, 3), keepdim=True)


def _halve(error: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Pool error and mask by two; a coarse pixel counts when at least half of it does."""
    share = F.avg_pool2d(mask, 2)
    pooled = F.avg_pool2d(error * mask, 2) / share.clamp_min(1e-6)
    return torch.where(share > 0, pooled, 0), (share >= 0.5).to(mask.dtype)
