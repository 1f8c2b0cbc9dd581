"""How well K proposed cameras agree with what was found out about a photo's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Distances below which frames are squared, above which they count as they are.
_NEAR = 0.1


def entropy(logits: Tensor) -> Tensor:
    """Of the probabilities of cameras [B,K]: [B]; 0 where one is certain."""
    chances = logits.softmax(1)
    return -(chances * logits.log_softmax(1)).sum(1)


def disagreement(logits: Tensor, chances: Tensor) -> Tensor:
    """The cross-entropy of the cameras' logits [B,K] with wanted ``chances`` [B,K]: [B]."""
    return -(chances * logits.log_softmax(1)).sum(1)


def turn_error(turns: Tensor, wanted: Tensor, chances: Tensor) -> Tensor:
    """sin² of half the angle between unit quaternions [B,K,4], averaged by ``chances`` [B,K]:
    [B]."""
    cosine = (turns * wanted).sum(-1)
    return (chances * (1 - cosine.square())).sum(1)


def framing_error(points: Tensor, centre: Tensor, half: Tensor, chances: Tensor) -> Tensor:
    """How far the boxes around projected points [B,K,V,2] are from the silhouettes' (``centre``
    [B,2] and half of the longer side [B]), averaged by ``chances`` [B,K]: [B]."""
    low = points.amin(2)
    high = points.amax(2)
    middle = (low + high) / 2
    longer = (high - low).amax(-1, keepdim=True)
    found = torch.cat([middle, longer / 2], -1)
    wanted = torch.cat([centre, half[:, None]], -1)
    wanted = wanted[:, None].expand_as(found)
    off = F.smooth_l1_loss(found, wanted, reduction="none", beta=_NEAR)
    total = chances * off.sum(-1)
    return total.sum(1)
