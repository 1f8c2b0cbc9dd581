"""What a search says of where photos were taken from, and the squares around what they show."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

#: Cosine of half the angle around the likeliest turn within which others are averaged with it.
_AROUND = 0.91
#: The share of an anchor's own turn in its cell's.
_LITTLE = 1e-9


@dataclass(frozen=True, slots=True)
class Box:
    """The square around each silhouette: ``centre`` [B,2] and ``half`` of its side [B]."""

    centre: Tensor
    half: Tensor


@dataclass(frozen=True, slots=True)
class Found:
    """What K anchored cameras are to learn: ``chances`` [B,K], the ``turns`` [B,K,4] most likely
    near each anchor, ``best`` [B,4] the likeliest of all; ``box`` frames the photos."""

    chances: Tensor
    turns: Tensor
    best: Tensor
    box: Box

    @staticmethod
    def among(turns: Tensor, chances: Tensor, anchors: Tensor, box: Box) -> Found:
        """Of turns [B,N,4] that are so likely [B,N], for cameras with ``anchors`` [K,4]: each takes
        the turns that are nearest to it."""
        cosines = turns @ anchors.T
        nearest = cosines.abs().argmax(2)
        cells = F.one_hot(nearest, len(anchors)).to(chances)
        shares = chances[..., None] * cells
        # Both signs are one turn: those of a cell are given the sign of its anchor.
        sums = (shares * cosines.sign()).mT @ turns
        near = F.normalize(sums + _LITTLE * anchors, dim=-1)
        return Found(shares.sum(1), near, _best(turns, chances), box)

    def wanted(self) -> Tensor:
        """What each anchored camera is to learn [B,K,4]: the likeliest one the best turn, the
        others what is most likely near them."""
        first = F.one_hot(self.chances.argmax(1), self.chances.shape[1])
        return torch.where(first[..., None] > 0, self.best[:, None], self.turns)


def boxes(mask: Tensor) -> Box:
    """Around silhouettes [B,1,H,W]; the whole picture where there is none."""
    inside = mask[:, 0] > 0.5
    columns, rows = inside.any(1), inside.any(2)
    left, right = _span(columns)
    top, bottom = _span(rows)
    middle = torch.stack([left + right, top + bottom], 1) / 2
    side = torch.maximum(right - left, bottom - top)
    half = side / 2
    return Box(middle.to(mask), half.to(mask))


def _best(turns: Tensor, chances: Tensor) -> Tensor:
    """The mean of the turns around the likeliest one [B,4], finer than the grid they are of."""
    rows = torch.arange(len(turns), device=turns.device)
    likeliest = turns[rows, chances.argmax(1)]
    cosine = (turns @ likeliest[..., None]).squeeze(2)
    share = chances * (cosine.abs() > _AROUND) * cosine.sign()
    return F.normalize((share[..., None] * turns).sum(1), dim=1)


def _span(filled: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last filled place of rows [B,N], as their outer borders in -1..1."""
    count = filled.shape[1]
    at = torch.arange(count, device=filled.device)
    everywhere = ~filled.any(1, keepdim=True)
    filled = filled | everywhere
    first = torch.where(filled, at, count).amin(1)
    last = torch.where(filled, at, -1).amax(1)
    low = 2 * first / count - 1
    high = 2 * (last + 1) / count - 1
    return low, high
