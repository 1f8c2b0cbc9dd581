"""How far a network's answer is from the truth. All are means over what the mask lets through: the
published code's were not masked."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_residual.variants import Distance

_BEND = 0.1  # where the smooth distance turns from squares into lines


def distance(kind: Distance, guess: Tensor, truth: Tensor) -> Tensor:
    """Element by element."""
    error = guess - truth
    if kind == "square":
        return error.square()
    if kind == "smooth":
        return F.smooth_l1_loss(guess, truth, reduction="none", beta=_BEND)
    return error.abs()


def masked(errors: Tensor, mask: Tensor) -> Tensor:
    """Mean of [B,C,h,w] where ``mask`` [B,1,h,w] is 1: a scalar, 0 where it is nowhere."""
    count = mask.sum() * errors.shape[1]
    return (errors * mask).sum() / count.clamp_min(1)


def unevenness(x: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of neighbours of [B,C,h,w] inside the mask: a scalar."""
    total = x.new_zeros(())
    for axis in (2, 3):
        length = mask.shape[axis] - 1
        both = mask.narrow(axis, 1, length) * mask.narrow(axis, 0, length)
        total = total + masked(x.diff(dim=axis).abs(), both)
    return total


def angle(one: Tensor, other: Tensor) -> Tensor:
    """Degrees between unit vectors [B,3,…] → [B,1,…]."""
    cosine = (one * other).sum(1, keepdim=True)
    return torch.rad2deg(cosine.clamp(-1, 1).acos())
