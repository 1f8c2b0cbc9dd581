"""How well K proposed cameras agree with what was found out about a photo's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


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
    low, high = points.amin(2), points.amax(2)
    middle, extent = (low + high) / 2, (high - low).amax(-1) / 2
    off = F.smooth_l1_loss(middle, centre[:, None].expand_as(middle), reduction="none", beta=0.1)
    wrong = F.smooth_l1_loss(extent, half[:, None].expand_as(extent), reduction="none", beta=0.1)
    return (chances * (off.sum(-1) + wrong)).sum(1)


def expected(losses: Tensor, logits: Tensor) -> Tensor:
    """The mean of losses [B,K] over cameras by their probabilities: [B]."""
    return (torch.softmax(logits, 1) * losses).sum(1)
