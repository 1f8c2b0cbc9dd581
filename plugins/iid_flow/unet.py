"""The velocity network: a U-Net on shading latents, conditioned on time and on maps of the image
encoder."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_flow.vae import FACTOR, LATENTS
from intrinsic_cli.kit.networks.blocks import doubled
from intrinsic_cli.kit.networks.efficientnet import CHANNELS

_TIME = 128


class TimeEmbedding(nn.Module):
    """[B] in 0..1 → [B,128]: sinusoids of 1000 t (so that t is seen), then two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, _TIME), nn.SiLU(), nn.Linear(_TIME, _TIME), nn.SiLU()
        )

    def forward(self, t: Tensor) -> Tensor:
        rates = torch.exp(-math.log(10000) * torch.arange(32, device=t.device) / 32)
        angles = 1000 * t[:, None] * rates
        out: Tensor = self.layers(torch.cat([angles.sin(), angles.cos()], 1))
        return out


class TimedBlock(nn.Module):
    """A residual block whose second norm is scaled and shifted by the time (AdaGN)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.skip = nn.Conv2d(inputs, width, 1)
        self.norm1 = nn.GroupNorm(8, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, width, affine=False)
        self.time = nn.Linear(_TIME, 2 * width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        x = self.skip(x)
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.time(time)[:, :, None, None].chunk(2, 1)
        out: Tensor = x + self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return out


class Attention(nn.Module):
    """Self-attention over all positions of a small map."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        qkv = (
            self.qkv(self.norm(x)).view(b, 3, self.heads, c // self.heads, h * w).transpose(-1, -2)
        )
        mixed = F.scaled_dot_product_attention(*qkv.unbind(1))
        out: Tensor = x + self.out(mixed.transpose(-1, -2).reshape(b, c, h, w))
        return out


class Velocity(nn.Module):
    """v(x, t | photo): [B,8,h,w] noisy latents at H/4, [B] times → [B,8,h,w].

    The deep half of the U-Net is the image encoder's: its maps enter the decoder beside a light
    pyramid of the latents. ``pixels`` brings the photo's detail inside a latent cell."""

    def __init__(self, widths: tuple[int, int, int, int] = (64, 96, 128, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.time = TimeEmbedding()
        self.pixels = nn.Conv2d(3 * FACTOR**2, a, 1)
        self.enter = nn.Conv2d(LATENTS, a, 3, padding=1)
        self.down8 = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.down16 = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.deep = TimedBlock(CHANNELS[4] + c, d)
        self.attention = Attention(d)
        self.up16 = TimedBlock(d + CHANNELS[3] + c, c)
        self.up8 = TimedBlock(c + CHANNELS[2] + b, b)
        self.up4 = TimedBlock(b + CHANNELS[1] + a, a)
        self.exit = nn.Sequential(
            nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, LATENTS, 3, padding=1)
        )

    def forward(self, x: Tensor, t: Tensor, photo: Tensor, maps: list[Tensor]) -> Tensor:
        time = self.time(t)
        x4 = self.enter(x) + self.pixels(F.pixel_unshuffle(photo, FACTOR))
        x8 = self.down8(F.silu(x4))
        x16 = self.down16(F.silu(x8))
        h = torch.cat([maps[4], F.avg_pool2d(x16, 2)], 1)
        h = self.attention(self.deep(h, time))
        h = self.up16(torch.cat([doubled(h), maps[3], x16], 1), time)
        h = self.up8(torch.cat([doubled(h), maps[2], x8], 1), time)
        h = self.up4(torch.cat([doubled(h), maps[1], x4], 1), time)
        out: Tensor = self.exit(h)
        return out
