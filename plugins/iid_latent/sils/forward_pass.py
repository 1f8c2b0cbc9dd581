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

    photo: Separated = field(default_factory=Separated)
    mixture: Separated = field(default_factory=Separated)
    alone: Separated = field(default_factory=Separated)

    def add_layer(self, features: Features, raw: Tensor, sizes: list[int]) -> None:
        """Rows of one layer: ``sizes`` of them belong to photos, mixtures and exemplars."""
        by_level = [torch.split(level, sizes) for level in features]
        rows = torch.split(raw, sizes)
        parts = (self.photo, self.mixture, self.alone)
        for i, part in enumerate(parts):
            part.features.append([level[i] for level in by_level])
            part.raw.append(rows[i])


def run_separator(
    separator: Separator, photo: Tensor, mixture: Tensor, exemplars: list[Tensor]
) -> ForwardPass:
    """Log images [F,3,H,W], [B,3,H,W] and per layer [F,3,H,W] → what becomes of them."""
    few, many = len(photo), len(mixture)
    maps = separator.maps(torch.cat([photo, mixture, *exemplars]))
    sizes = [few, many, few]
    made = ForwardPass()
    for k, head in enumerate(separator.heads.values()):
        features = head([_rows_of_layer(level, k, sizes) for level in maps])
        made.add_layer(features, separator.decode(k, features), sizes)
    return made


def _rows_of_layer(level: Tensor, layer: int, sizes: list[int]) -> Tensor:
    """Photos and mixtures, which all layers share, and the exemplars of one layer."""
    few, many, count = sizes
    shared = few + many
    start = shared + layer * count
    return torch.cat([level[:shared], level[start : start + count]])
