"""The residual blocks of both networks. Attribute names are those of the published state dicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class BlockShape:
    """What a block does to its map: channels in and out, norm groups, ``time`` features (0 = none),
    resampling by 2."""

    inputs: int
    outputs: int
    groups: int = 8
    time: int = 0
    attention: bool = False
    resample: Literal["", "down", "up"] = ""


class SelfAttention(nn.Module):
    """Attention among all pixels of ``[B,C,H,W]``. Parameters as in ``nn.MultiheadAttention``,
    whose default keeps a matrix of H·W x H·W weights for each head in memory; this one never
    does."""

    def __init__(self, channels: int, heads: int = 16) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(
            nn.init.xavier_uniform_(torch.empty(3 * channels, channels))
        )
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        pixels = h * w
        depth = c // self.heads
        x = x.flatten(2).transpose(1, 2)
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        qkv = qkv.view(b, pixels, 3, self.heads, depth)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        mixed = mixed.transpose(1, 2).reshape(b, pixels, c)
        projected: Tensor = self.out_proj(mixed)
        return projected.transpose(1, 2).reshape(b, c, h, w)


class AdaptiveNorm(nn.Module):
    """Group norm whose scale and shift come from the time features (AdaGN, without a SiLU before
    the projection)."""

    def __init__(self, groups: int, channels: int, time: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, affine=False)
        self.time_proj = nn.Linear(time, 2 * channels)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        scale, shift = self.time_proj(time)[:, :, None, None].chunk(2, dim=1)
        moved: Tensor = self.norm(x) * (1 + scale) + shift
        return moved


class ResidualBlock(nn.Module, ABC):
    """``[B,C_in,H,W]`` (and time features ``[B,T]``) → ``[B,C_out,H',W']``: up, two convolutions
    beside a 1x1 shortcut, attention, down; the parts that ``shape`` asks for."""

    def __init__(self, shape: BlockShape) -> None:
        super().__init__()
        self.shape = shape
        c = shape.outputs
        self.add_body(shape)  # first, so that the order of the parameters is the published one
        self.attention_norms = nn.GroupNorm(shape.groups, c) if shape.attention else nn.Identity()
        self.attentions = SelfAttention(c) if shape.attention else nn.Identity()
        self.residual_input_conv = nn.Conv2d(shape.inputs, c, 1)
        up, down = shape.resample == "up", shape.resample == "down"
        self.down_sample_conv = nn.Conv2d(c, c, 4, 2, 1) if down else nn.Identity()
        self.up_sample_conv = (
            nn.ConvTranspose2d(shape.inputs, shape.inputs, 4, 2, 1) if up else nn.Identity()
        )

    @abstractmethod
    def add_body(self, shape: BlockShape) -> None:
        """Make the layers of :meth:`body`."""

    @abstractmethod
    def body(self, x: Tensor, time: Tensor | None) -> Tensor:
        """The two convolutions and what time does to them."""

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        x = self.up_sample_conv(x)
        x = self.body(x, time) + self.residual_input_conv(x)
        if self.shape.attention:
            x = x + self.attentions(self.attention_norms(x))
        down: Tensor = self.down_sample_conv(x)
        return down


class Albedo16Block(ResidualBlock):
    """The first network's block: time is added once, between the convolutions."""

    def add_body(self, shape: BlockShape) -> None:
        c = shape.outputs
        self.resnet_conv_first = _norm_conv(shape.groups, shape.inputs, c)
        if shape.time:
            self.t_emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(shape.time, c))
        self.resnet_conv_second = _norm_conv(shape.groups, c, c)

    def body(self, x: Tensor, time: Tensor | None) -> Tensor:
        x = self.resnet_conv_first(x)
        if time is not None:
            x = x + self.t_emb_layers(time)[:, :, None, None]
        second: Tensor = self.resnet_conv_second(x)
        return second


class Shading8Block(ResidualBlock):
    """The second network's block: time also scales and shifts both norms. Without time the norms
    are plain ones."""

    def add_body(self, shape: BlockShape) -> None:
        c = shape.outputs
        self.norm1 = _norm(shape, shape.inputs)
        self.norm2 = _norm(shape, c)
        self.conv1 = nn.Conv2d(shape.inputs, c, 3, 1, 1)
        self.conv2 = nn.Conv2d(c, c, 3, 1, 1)
        if shape.time:
            self.t_emb_layers = nn.Sequential(
                nn.SiLU(), nn.Linear(shape.time, c), nn.SiLU(), nn.Linear(c, c)
            )

    def body(self, x: Tensor, time: Tensor | None) -> Tensor:
        condition = () if time is None else (time,)
        x = self.conv1(F.silu(self.norm1(x, *condition)))
        if time is not None:
            x = x + self.t_emb_layers(time)[:, :, None, None]
        second: Tensor = self.conv2(F.silu(self.norm2(x, *condition)))
        return second


def _norm_conv(groups: int, inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.GroupNorm(groups, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, 1, 1)
    )


def _norm(shape: BlockShape, channels: int) -> nn.Module:
    if shape.time:
        return AdaptiveNorm(shape.groups, channels, shape.time)
    return nn.GroupNorm(shape.groups, channels)
