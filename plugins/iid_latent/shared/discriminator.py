"""The multi-scale discriminator of MUNIT, which USI3D and SILS train against."""

from __future__ import annotations

import itertools
from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F


class Discriminator(nn.Module):
    """``[B,3,H,W]`` → one map of scores ``[B,1,h,w]`` for the image, its half and its quarter.

    Each scale has a network of its own: ``layers`` reflect-padded 4x4 convolutions that halve the
    map, without norm, then a 1x1 convolution; no activation at the end. H and W must survive the
    halvings: 64 is fine for the default. Parameter names are those of USI3D's published code."""

    def __init__(self, dim: int = 64, layers: int = 4, scales: int = 3) -> None:
        super().__init__()
        self.cnns = nn.ModuleList(_scale(dim, layers) for _ in range(scales))

    def forward(self, x: Tensor) -> list[Tensor]:
        scores: list[Tensor] = []
        for cnn in self.cnns:
            if scores:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            scores.append(cnn(x))
        return scores


def _scale(dim: int, layers: int) -> nn.Sequential:
    sizes = [3, *(dim << i for i in range(layers))]
    halvings = (_halving(a, b) for a, b in itertools.pairwise(sizes))
    return nn.Sequential(*halvings, nn.Conv2d(sizes[-1], 1, 1))


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 4, 2, 1, padding_mode="reflect")
    return nn.Sequential(OrderedDict(conv=conv, activation=nn.LeakyReLU(0.2)))
