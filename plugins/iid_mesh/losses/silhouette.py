"""How well a silhouette fits."""

from __future__ import annotations

from torch import Tensor


def overlap(alpha: Tensor, mask: Tensor) -> Tensor:
    """Soft intersection over union of [B,H,W] with [B,H,W], both 0..1: [B]."""
    both = (alpha * mask).sum((1, 2))
    either = (alpha + mask - alpha * mask).sum((1, 2))
    return both / (either + 1e-6)


def overlap_loss(alpha: Tensor, mask: Tensor) -> Tensor:
    """What the overlap lacks to 1: [B]."""
    return 1 - overlap(alpha, mask)
