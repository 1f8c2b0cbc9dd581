"""Everything one training step draws: photos, mixtures and exemplars in one pass through the
backbone."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from iid_latent.sils.networks import Features, Separator


@dataclass(slots=True)
class Separated:
    """Features and raw drawings, one entry per layer."""

    features: list[Features] = field(default_factory=list)
    raw: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """``photo`` and ``mixture`` in all spaces; ``alone``: each exemplar in the space of its own
    layer."""

    photo: Separated
    mixture: Separated
    alone: Separated


def run_separator(
    separator: Separator, photo: Tensor, mixture: Tensor, exemplars: list[Tensor]
) -> ForwardPass:
    """Log pictures [F,3,H,W], [B,3,H,W] and per layer [F,3,H,W] → what becomes of them."""
    few, many = len(photo), len(mixture)
    maps = separator.maps(torch.cat([photo, mixture, *exemplars]))
    parts = Separated(), Separated(), Separated()
    sizes = [few, many, few]
    start = few + many
    for k, head in enumerate(separator.heads.values()):
        features = head([_rows_of(level, few + many, start, few) for level in maps])
        raw = separator.decode(k, features)
        start += few
        cut_levels = [torch.split(level, sizes) for level in features]
        for i, part in enumerate(parts):
            part.features.append([level[i] for level in cut_levels])
        for part, rows in zip(parts, torch.split(raw, sizes), strict=True):
            part.raw.append(rows)
    return ForwardPass(*parts)


def _rows_of(level: Tensor, shared: int, start: int, count: int) -> Tensor:
    """The rows of photos and mixtures, and those of one layer's exemplars."""
    return torch.cat([level[:shared], level[start : start + count]])
