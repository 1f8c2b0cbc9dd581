"""Which part of an object each pixel shows: for photos that come without part maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from intrinsic_cli.kit.networks.blocks import with_gradient

#: Background and four parts; of birds head, neck, back and belly, in SCOPS' order.
PARTS = 5
_WIDTH = 32


class PartHead(nn.Module):
    """Maps of an encoder, each half as large as the one before → logits [B,5,h,w], as large as the
    first."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(count, _WIDTH, 1) for count in channels)
        self.norm = nn.GroupNorm(8, _WIDTH)
        self.filters = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.exit = nn.Conv2d(_WIDTH, PARTS, 3, padding=1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        pairs = zip(self.sides, maps, strict=True)
        sides = [side(with_gradient(x)) for side, x in pairs]
        merged = sides.pop()
        while sides:
            finer = sides.pop()
            size = finer.shape[-2:]
            coarser = F.interpolate(merged, size=size, mode="bilinear", align_corners=False)
            merged = finer + coarser
        merged = F.silu(self.filters(F.silu(self.norm(merged))))
        logits: Tensor = self.exit(merged)
        return logits
