"""The velocity network over latents."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_flow.published.blocks import Albedo16Block, BlockShape, ResidualBlock, Shading8Block


class UNet(nn.Module):
    """Velocity of the flow at ``z`` [B,16|8,h,w], ``t`` [B] in 0..1, given the maps of the image
    encoder.

    Fully convolutional; h and w even. The encoder's maps are added *after* a level's output has
    been kept for the way up; a fourth map, where there is one, is concatenated to ``z``.
    ``albedo16`` was trained with t cast to a whole number, which makes it blind to every t below 1:
    its weights mean nothing without the same cast."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        if variant == "shading8":
            self._build(Shading8Block, latent=8, beside=256, time=512, time_layers=3)
        else:
            self._build(Albedo16Block, latent=16, beside=0, time=128, time_layers=2)
        self.whole_t = variant == "albedo16"

    def _build(
        self, block: type[ResidualBlock], latent: int, beside: int, time: int, time_layers: int
    ) -> None:
        """``beside``: channels of the map that is concatenated to the latents."""
        self.time = time
        self.conv_in = nn.Conv2d(latent + beside, 256, 3, 1, 1)
        self.t_proj = _time_layers(time, time_layers)
        self.down2 = block(BlockShape(256, 384, time=time))
        self.down3 = block(BlockShape(384, 512, time=time, attention=True, resample="down"))
        self.up2 = block(BlockShape(512, 384, time=time, attention=True, resample="up"))
        self.up3 = block(BlockShape(768, 256, time=time))
        self.norm_out = nn.GroupNorm(8, 512)
        self.conv_out = nn.Conv2d(512, latent, 3, 1, 1)

    def forward(self, z: Tensor, t: Tensor, maps: Sequence[Tensor]) -> Tensor:
        *beside, s1, s2, s3 = maps
        if self.whole_t:
            t = t.long()
        time = self.t_proj(embed_time(t, self.time))
        h0 = self.conv_in(torch.cat([z, *beside], dim=1))
        h1 = self.down2(h0 + s1, time)
        h = self.down3(h1 + s2, time)
        h = self.up2(h + s3, time)
        h = torch.cat([h, h1], dim=1)
        h = self.up3(h, time)
        h = torch.cat([h, h0], dim=1)
        h = F.silu(self.norm_out(h))
        velocity: Tensor = self.conv_out(h)
        return velocity


def embed_time(t: Tensor, size: int) -> Tensor:
    """Sinusoids ``[sin(t/f), cos(t/f)]``, f_i = 10000^(i / (size/2)), of the unscaled ``t`` [B] →
    ``[B,size]``."""
    count = size // 2
    i = torch.arange(count, device=t.device, dtype=torch.float32)
    f = 10000 ** (i / count)
    angle = t[:, None].float() / f
    waves = [angle.sin(), angle.cos()]
    return torch.cat(waves, dim=1)


def _time_layers(size: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(size, size)]
    for _ in range(count - 1):
        layers += [nn.SiLU(), nn.Linear(size, size)]
    return nn.Sequential(*layers)
