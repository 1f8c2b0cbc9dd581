"""What a search says of where photos were taken from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.framing import Box

#: Cosine of half the angle around the likeliest turn within which others are averaged with it.
_AROUND = 0.91
#: The share of an anchor's own turn in its cell's.
_LITTLE = 1e-9


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


def _best(turns: Tensor, chances: Tensor) -> Tensor:
    """The mean of the turns around the likeliest one [B,4], finer than the grid they are of."""
    rows = torch.arange(len(turns), device=turns.device)
    number = chances.argmax(1)
    likeliest = turns[rows, number]
    cosine = turns @ likeliest[..., None]
    side = cosine.sign()
    near = cosine.abs() > _AROUND
    share = chances[..., None] * near * side
    total = (share * turns).sum(1)
    return F.normalize(total, dim=1)
