"""Everything one training step draws: photos, mixtures and exemplars in one pass through the
trunk."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from iid_latent.sils.networks import Features, Separator


@dataclass(frozen=True, slots=True)
class Codes:
    """Features and raw drawings, one entry per layer."""

    features: list[Features]
    raw: list[Tensor]


@dataclass(frozen=True, slots=True)
class Pass:
    """``photo`` and ``mixture`` in all spaces; ``alone``: each exemplar in the space of its own
    layer."""

    photo: Codes
    mixture: Codes
    alone: Codes


def run_all(separator: Separator, photo: Tensor, mixture: Tensor, exemplars: list[Tensor]) -> Pass:
    """Log pictures [F,3,H,W], [B,3,H,W] and per layer [F,3,H,W] → their codes."""
    few, many = len(photo), len(mixture)
    maps = separator.maps(torch.cat([photo, mixture, *exemplars]))
    parts: tuple[Codes, Codes, Codes] = (Codes([], []), Codes([], []), Codes([], []))
    for k, head in enumerate(separator.heads.values()):
        own = few + many + k * few
        features = head([torch.cat([x[: few + many], x[own : own + few]]) for x in maps])
        raw = _cut(separator.decode(k, features), few, many)
        for i, codes in enumerate(parts):
            codes.features.append([_cut(level, few, many)[i] for level in features])
            codes.raw.append(raw[i])
    return Pass(*parts)


def _cut(x: Tensor, few: int, many: int) -> tuple[Tensor, Tensor, Tensor]:
    return x[:few], x[few : few + many], x[few + many :]
