"""The velocity network over latents."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_flow.published.blocks import Albedo16Block, ResidualBlock, Shading8Block, Shape


class UNet(nn.Module):
    """Velocity of the flow at ``z`` [B,16|8,h,w], ``t`` [B] in 0..1, given the maps of the image
    encoder.

    Fully convolutional; h and w even. The encoder's maps are added *after* a level's output has
    been kept for the way up; a fourth map, where there is one, is concatenated to ``z``.
    ``albedo16`` was trained with t cast to a whole number, which makes it blind to every t below 1:
    its weights mean nothing without the same cast."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        new = variant == "shading8"
        block: type[ResidualBlock] = Shading8Block if new else Albedo16Block
        self.whole_t, self.time, latent = not new, 512 if new else 128, 8 if new else 16
        self.conv_in = nn.Conv2d(latent + 256 if new else latent, 256, 3, 1, 1)
        self.t_proj = _time_layers(self.time, 3 if new else 2)
        self.down2 = block(Shape(256, 384, time=self.time))
        self.down3 = block(Shape(384, 512, time=self.time, attention=True, resample="down"))
        self.up2 = block(Shape(512, 384, time=self.time, attention=True, resample="up"))
        self.up3 = block(Shape(768, 256, time=self.time))
        self.norm_out = nn.GroupNorm(8, 512)
        self.conv_out = nn.Conv2d(512, latent, 3, 1, 1)

    def forward(self, z: Tensor, t: Tensor, maps: Sequence[Tensor]) -> Tensor:
        *beside, s1, s2, s3 = maps
        time = self.t_proj(embed_time(t.long() if self.whole_t else t, self.time))
        h0 = self.conv_in(torch.cat([z, *beside], dim=1))
        h1 = self.down2(h0 + s1, time)
        h = self.down3(h1 + s2, time) + s3
        h = self.up2(h, time)
        h = self.up3(torch.cat([h, h1], dim=1), time)
        velocity: Tensor = self.conv_out(F.silu(self.norm_out(torch.cat([h, h0], dim=1))))
        return velocity


def embed_time(t: Tensor, size: int) -> Tensor:
    """Sinusoids ``[sin(t/f), cos(t/f)]``, f_i = 10000^(i / (size/2)), of the unscaled ``t`` [B] →
    ``[B,size]``."""
    half = size // 2
    f = 10000 ** (torch.arange(half, device=t.device, dtype=torch.float32) / half)
    angle = t[:, None].float() / f
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def _time_layers(size: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(size, size)]
    for _ in range(count - 1):
        layers += [nn.SiLU(), nn.Linear(size, size)]
    return nn.Sequential(*layers)
