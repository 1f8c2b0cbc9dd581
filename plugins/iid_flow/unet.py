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
        octaves = torch.arange(32, device=t.device) / 32
        rates = torch.exp(-math.log(10000) * octaves)
        angles = 1000 * t[:, None] * rates
        waves = torch.cat([angles.sin(), angles.cos()], 1)
        out: Tensor = self.layers(waves)
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
        h = F.silu(self.norm1(x))
        h = self.conv1(h)
        scale_and_shift = self.time(time)[:, :, None, None]
        scale, shift = scale_and_shift.chunk(2, 1)
        h = self.norm2(h) * (1 + scale) + shift
        h = self.conv2(F.silu(h))
        out: Tensor = x + h
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
        depth = c // self.heads
        qkv = self.qkv(self.norm(x))
        qkv = qkv.view(b, 3, self.heads, depth, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        mixed = F.scaled_dot_product_attention(q, k, v)
        mixed = mixed.transpose(-1, -2)
        mixed = mixed.reshape(b, c, h, w)
        out: Tensor = x + self.out(mixed)
        return out


class VelocityNet(nn.Module):
    """v(x, t | photo): [B,16,h,w] noisy latents at H/4, [B] times → [B,16,h,w].

    The deep part of the U-Net is the image encoder's: its maps enter the decoder beside a light
    pyramid of the latents. ``pixels`` brings the photo's detail inside a latent cell."""

    def __init__(self, widths: tuple[int, int, int, int] = (64, 96, 128, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        _, m4, m8, m16, m32 = CHANNELS
        self.time = TimeEmbedding()
        self.pixels = nn.Conv2d(3 * FACTOR**2, a, 1)
        self.enter = _conv3(LATENTS, a)
        self.down8 = _conv3(a, b, stride=2)
        self.down16 = _conv3(b, c, stride=2)
        self.deep = TimedBlock(m32 + c, d)
        self.attention = Attention(d)
        self.up16 = TimedBlock(d + m16 + c, c)
        self.up8 = TimedBlock(c + m8 + b, b)
        self.up4 = TimedBlock(b + m4 + a, a)
        self.exit = nn.Sequential(
            nn.GroupNorm(8, a),
            nn.SiLU(),
            _conv3(a, LATENTS),
        )

    def forward(self, x: Tensor, t: Tensor, photo: Tensor, maps: list[Tensor]) -> Tensor:
        time = self.time(t)
        _, m4, m8, m16, m32 = maps
        pixels = F.pixel_unshuffle(photo, FACTOR)
        x4 = self.enter(x) + self.pixels(pixels)
        x8 = self.down8(F.silu(x4))
        x16 = self.down16(F.silu(x8))
        h = _join(m32, F.avg_pool2d(x16, 2))
        h = self.attention(self.deep(h, time))
        h = _join(doubled(h), m16, x16)
        h = self.up16(h, time)
        h = _join(doubled(h), m8, x8)
        h = self.up8(h, time)
        h = _join(doubled(h), m4, x4)
        h = self.up4(h, time)
        out: Tensor = self.exit(h)
        return out


def _conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1)


def _join(*maps: Tensor) -> Tensor:
    return torch.cat(maps, 1)
