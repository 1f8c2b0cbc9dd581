"""Building blocks of the published USI3D networks (arXiv 1911.09930), which are those of MUNIT.

Attribute names are the keys of the published checkpoints. Adaptive instance norm takes its
parameters as arguments: nothing is left behind on a module, so that one network may serve several
batches or threads at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iid_latent.usi3d.original.phase import doubled_conv

Norm = Literal["none", "instance", "adaptive", "layer"]
EPSILON = 1e-5


class LayerNorm(nn.Module):
    """MUNIT's own: over C, H and W of a sample jointly, epsilon added to the unbiased standard
    deviation (not to the variance under the root, as torch's does), then ``gamma`` and ``beta`` for
    each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(channels).uniform_())
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        std, mean = torch.std_mean(x, dim=(1, 2, 3), keepdim=True)
        scaled = (x - mean) / (std + EPSILON)
        return scaled * self.gamma[:, None, None] + self.beta[:, None, None]


class ConvBlock(nn.Module):
    """Reflect padding, convolution, norm, ReLU; a stride of 2 comes with a kernel of 4, and any
    other keeps the size.

    ``forward`` takes ``(scale, shift)``, each [B,C,1,1], where the norm is ``adaptive``.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, norm: Norm = "none", relu: bool = True
    ) -> None:
        super().__init__()
        stride = 2 if kernel == 4 else 1
        padding = (kernel - stride) // 2
        if norm == "layer":
            self.norm = LayerNorm(outputs)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, padding_mode="reflect")
        self._kind, self._relu = norm, relu

    def forward(self, x: Tensor, adaptation: tuple[Tensor, Tensor] | None = None) -> Tensor:
        x = self.normed(self.conv(x), adaptation)
        return F.relu(x) if self._relu else x

    def normed(self, x: Tensor, adaptation: tuple[Tensor, Tensor] | None) -> Tensor:
        """``x`` after the block's norm."""
        if self._kind == "none":
            return x
        if self._kind == "layer":
            normed: Tensor = self.norm(x)
            return normed
        x = F.instance_norm(x, eps=EPSILON)
        return x if adaptation is None else x * adaptation[0] + adaptation[1]


class Doubling(ConvBlock):
    """Nearest doubling, 5x5 convolution, layer norm, ReLU; in training the short form takes half
    the time."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 5, "layer")

    def forward(self, x: Tensor, adaptation: tuple[Tensor, Tensor] | None = None) -> Tensor:
        return F.relu(self.normed(doubled_conv(x, self.conv.weight, self.conv.bias), None))


class ResBlock(nn.Module):
    """Two 3x3 blocks beside the identity; nothing after the sum."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ConvBlock(channels, channels, 3, norm),
            ConvBlock(channels, channels, 3, norm, relu=False),
        )

    def forward(
        self, x: Tensor, adaptations: Iterator[tuple[Tensor, Tensor]] | None = None
    ) -> Tensor:
        y = x
        for block in self.model:
            y = block(y, next(adaptations) if adaptations else None)
        return x + y


class ResBlocks(nn.Module):
    """Residual blocks in a row."""

    def __init__(self, channels: int, count: int, norm: Norm) -> None:
        super().__init__()
        self.model = nn.Sequential(*(ResBlock(channels, norm) for _ in range(count)))

    def forward(
        self, x: Tensor, adaptations: Iterator[tuple[Tensor, Tensor]] | None = None
    ) -> Tensor:
        for block in self.model:
            x = block(x, adaptations)
        return x


class LinearBlock(nn.Module):
    """A linear layer, then ReLU."""

    def __init__(self, inputs: int, outputs: int, relu: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self._relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc(x)
        return F.relu(x) if self._relu else x


class MLP(nn.Module):
    """``[B,inputs,...]`` flattened → ``[B,outputs]`` through ``layers`` linear layers, ReLU between
    them."""

    def __init__(self, inputs: int, outputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        sizes = [inputs, *[hidden] * (layers - 1), outputs]
        pairs = itertools.pairwise(sizes)
        self.model = nn.Sequential(
            *(LinearBlock(a, b, relu=i < layers - 1) for i, (a, b) in enumerate(pairs))
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x.flatten(1))
        return y
