"""Which zone of an object each pixel shows."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from intrinsic_cli.kit.networks.blocks import doubled, with_gradient

_WIDTH = 48


class ZoneHead(nn.Module):
    """Maps of an encoder, each half as large as the one before → logits [B,1+K,h,w] of background
    and zones, as large as the first."""

    def __init__(self, channels: Sequence[int], zones: int) -> None:
        super().__init__()
        sides = [nn.Conv2d(count, _WIDTH, 1) for count in channels]
        filters = [_filtered() for _ in channels[1:]]
        self.sides = nn.ModuleList(sides)
        self.filters = nn.ModuleList(filters)
        self.last = nn.GroupNorm(8, _WIDTH)
        self.exit = nn.Conv2d(_WIDTH, 1 + zones, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.sides, maps, strict=True)
        sides = [side(with_gradient(x)) for side, x in pairs]
        merged = sides.pop()
        for filters in self.filters:
            merged = merged + filters(merged)
            merged = sides.pop() + doubled(merged)
        logits: Tensor = self.exit(F.silu(self.last(merged)))
        return logits


def _filtered() -> nn.Sequential:
    return nn.Sequential(
        nn.GroupNorm(8, _WIDTH), nn.SiLU(), nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
    )
