"""Do the pixels that vertices choose show the zones they belong to? ``matches`` [B,V,P] are the
chances of pixels, ``table`` [V,K] those of zones at vertices, ``seen`` [B,V] how much a vertex
counts, and ``maps`` [B,K,P] the zones that photos show."""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST = 1e-4
#: Pixels of a zone that have to be there.
_PRESENT = 1.0


def coverage(matches: Tensor, table: Tensor, seen: Tensor, maps: Tensor) -> Tensor:
    """How far what the vertices of a zone choose, all together, is from all of the zone
    (Kullback-Leibler), the mean over the zones that are there: [B]."""
    shares = table * seen[..., None]
    total = shares.sum(1)
    area = maps.sum(2)
    chosen = shares.mT @ matches
    chosen = chosen / total.clamp_min(_LEAST)[..., None]
    wanted = maps / area.clamp_min(_LEAST)[..., None]
    surprise = wanted.clamp_min(1e-8).log() - (chosen + _LEAST).log()
    apart = (wanted * surprise).sum(2)
    present = (area > _PRESENT) & (total > _LEAST)
    there = present.float()
    among = there.sum(1).clamp_min(1)
    return (apart * there).sum(1) / among


def consistency(matches: Tensor, table: Tensor, seen: Tensor, maps: Tensor) -> Tensor:
    """How unlikely it is that vertices choose pixels of their zones, of zones that are there:
    [B]."""
    there = (maps.sum(2) > _PRESENT).float()
    shown = matches @ maps.mT
    right = (shown * table).sum(2)
    unlikely = -(right + _LEAST).log()
    weights = seen * (there @ table.T)
    total = weights.sum(1)
    return (unlikely * weights).sum(1) / total.clamp_min(_LEAST)


def strayed(matches: Tensor, at: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """The mean squared distance of the pixels ``at`` [P,2] that vertices choose from ``places``
    [B,V,2], by ``weights`` [B,V]: [B]."""
    square = torch.cdist(places, at.expand(len(places), -1, -1)).square()
    far = (matches * square).sum(2) * weights
    return far.sum(1) / weights.sum(1).clamp_min(1)
