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

_DARK = 1e-4  # linear: darker pixels have no highlights
_FEW = -4.0  # logit of the share before anything is learned: about 2 %


class HighlightNet(nn.Module):
    """A photo, its log shading and three maps of its encoder → the share of every channel of the
    photo that is highlight, [B,3,H,W] in 0..1. What is left is never negative."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        _, m4, m8, m16, _ = CHANNELS
        colours = 3 * FACTOR**2  # of a cell of the photo
        inputs = 2 * colours + m4 + m8 + m16
        self.enter = nn.Conv2d(inputs, width, 1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.exit = nn.Conv2d(width, colours, 3, padding=1)
        nn.init.zeros_(self.exit.weight)

    def forward(self, seen: Seen) -> Tensor:
        return self.logits(seen).sigmoid()

    def logits(self, seen: Seen) -> Tensor:
        """The share as training sees it, before it is squeezed into 0..1."""
        _, m4, m8, m16, _ = seen.maps
        pictures = torch.cat([seen.encoded, seen.log_shading], 1)
        cells = functional.pixel_unshuffle(pictures, FACTOR)
        wider = torch.cat([m8, doubled(m16)], 1)
        wider = doubled(wider)
        h = self.enter(torch.cat([cells, m4, wider], 1))
        h = self.exit(self.blocks(h))
        return functional.pixel_shuffle(h, FACTOR) + _FEW


def highlight_loss(
    logits: Tensor, photo: Tensor, truth: Tensor, level: Tensor, mask: Tensor, gradient: float
) -> Tensor:
    """How far shares (as ``logits``) of ``photo`` are from true highlights, all [B,3,H,W] linear,
    per sample: [B].

    The Kullback-Leibler divergence of shares, the more the brighter the pixel is; plus multi-scale
    gradients of the error in log(1 + light / level). An absolute error alone would rather have no
    highlights at all: they are few."""
    share = (truth / photo.clamp_min(_DARK)).clamp(0, 1)
    entropy = torch.special.entr(share) + torch.special.entr(1 - share)
    crossed = functional.binary_cross_entropy_with_logits(logits, share, reduction="none")
    brightness = (photo / level).log1p()
    size = masked_mean((crossed - entropy) * brightness, mask)
    found = (photo * logits.sigmoid() / level).log1p()
    error = found - (photo * share / level).log1p()
    return size.sum(1) + gradient * gradient_loss(error, mask)
