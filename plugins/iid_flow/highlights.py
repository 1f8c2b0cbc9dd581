"""Highlights: which part of a photo was mirrored, not reflected by paint."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from iid_flow.decomposer import Seen
from iid_flow.vae import FACTOR
from intrinsic_cli.kit.networks.blocks import Block, doubled
from intrinsic_cli.kit.networks.efficientnet import CHANNELS
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

_FEW = -4.0  # logit of the share before anything is learned: 2 %


class HighlightNet(nn.Module):
    """A photo, its log shading and two maps of its encoder → the share of every channel of the
    photo that is highlight, [B,3,H,W] in 0..1. What is left is never negative."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        _, m4, m8, _, _ = CHANNELS
        inputs = 2 * 3 * FACTOR**2 + m4 + m8
        self.enter = nn.Conv2d(inputs, width, 1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.exit = nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1)
        nn.init.zeros_(self.exit.weight)
        self.exit.bias = nn.Parameter(torch.full((3 * FACTOR**2,), _FEW))

    def forward(self, seen: Seen) -> Tensor:
        _, m4, m8, _, _ = seen.maps
        pictures = torch.cat([seen.encoded, seen.log_shading], 1)
        cells = functional.pixel_unshuffle(pictures, FACTOR)
        h = self.enter(torch.cat([cells, m4, doubled(m8)], 1))
        h = self.exit(self.blocks(h))
        return functional.pixel_shuffle(h, FACTOR).sigmoid()


def highlight_loss(
    predicted: Tensor, truth: Tensor, level: Tensor, mask: Tensor, gradient: float
) -> Tensor:
    """L1 plus multi-scale gradients of the error of highlights [B,3,H,W] linear, per sample: [B].
    They are compared as log(1 + light / level), lest the brightest decide alone."""
    error = (predicted / level).log1p() - (truth / level).clamp_min(0).log1p()
    size = masked_mean(error.abs(), mask).sum(1)
    return size + gradient * gradient_loss(error, mask)
