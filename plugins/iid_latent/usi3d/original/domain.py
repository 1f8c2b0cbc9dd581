"""The auto-encoder of one domain, as in MUNIT: content encoder, style encoder, decoder, and an MLP
between."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from iid_latent.usi3d.original.layers import MLP, ConvBlock, Doubling, ResBlocks


class StyleEncoder(nn.Module):
    """``[B,3,H,W]`` → ``[B,style,1,1]``; H and W at least 16."""

    def __init__(self, dim: int, style: int) -> None:
        super().__init__()
        sizes = [dim, 2 * dim, 4 * dim, 4 * dim, 4 * dim]
        halvings = (ConvBlock(a, b, 4) for a, b in itertools.pairwise(sizes))
        self.model = nn.Sequential(
            ConvBlock(3, dim, 7), *halvings, nn.AdaptiveAvgPool2d(1), nn.Conv2d(4 * dim, style, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        style: Tensor = self.model(x)
        return style


class ContentEncoder(nn.Module):
    """``[B,3,H,W]`` → ``[B,4·dim,H/4,W/4]``."""

    def __init__(self, dim: int, blocks: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ConvBlock(3, dim, 7, "instance"),
            ConvBlock(dim, 2 * dim, 4, "instance"),
            ConvBlock(2 * dim, 4 * dim, 4, "instance"),
            ResBlocks(4 * dim, blocks, "instance"),
        )

    def forward(self, x: Tensor) -> Tensor:
        content: Tensor = self.model(x)
        return content


class Decoder(nn.Module):
    """``[B,4·dim,h,w]`` → ``[B,3,4h,4w]`` in (-1,1), styled by ``adaptations``, one for each AdaIN
    layer."""

    def __init__(self, dim: int, blocks: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ResBlocks(4 * dim, blocks, "adaptive"),
            nn.Identity(),  # where the published code has its upsampling
            Doubling(4 * dim, 2 * dim),
            nn.Identity(),
            Doubling(2 * dim, dim),
            ConvBlock(dim, 3, 7, relu=False),
        )

    def forward(self, x: Tensor, adaptations: Iterator[tuple[Tensor, Tensor]]) -> Tensor:
        x = self.model[0](x, adaptations)
        return torch.tanh(self.model[1:](x))


class Domain(nn.Module):
    """The auto-encoder of one domain (``gen_i``, ``gen_r`` or ``gen_s``)."""

    def __init__(self, dim: int = 64, style: int = 8, mlp: int = 256, blocks: int = 4) -> None:
        super().__init__()
        self.enc_style = StyleEncoder(dim, style)
        self.enc_content = ContentEncoder(dim, blocks)
        self.dec = Decoder(dim, blocks)
        self.mlp = MLP(style, 2 * 2 * blocks * 4 * dim, mlp, 3)
        self.adaptive_layers = 2 * blocks

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``[B,3,H,W]`` in [0,1] → content ``[B,4·dim,H/4,W/4]`` and style ``[B,d,1,1]``."""
        return self.enc_content(x), self.enc_style(x)

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        """The image ``[B,3,H,W]`` in (-1,1) of ``content`` in ``style``; its positive part is
        meant to be seen."""
        image: Tensor = self.dec(content, iter(self.adaptations(style)))
        return image

    def adaptations(self, style: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(scale, shift), each ``[B,C,1,1]``, of every AdaIN layer in order. The MLP gives a
        layer's shifts first, then its scales, which are used as they are (not 1 + scale)."""
        both: Tensor = self.mlp(style)
        shifts, scales = both.view(len(both), self.adaptive_layers, 2, -1)[..., None, None].unbind(
            2
        )
        return list(zip(scales.unbind(1), shifts.unbind(1), strict=True))
