"""The published head of the texture flow, four fifths of the network's 85 million numbers."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from iid_mesh.networks.layers import normed, small

_CHANNELS = (256, 128, 64, 32, 16, 8)
#: The map at the beginning; five doublings make it 128 x 256.
_HEIGHT, _WIDTH = 4, 8


class TexturePredictor(nn.Module):
    """Features [B,200] → where in the photo texels have their colour from, [B,2,128,256], -1..1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        numbers = _CHANNELS[0] * _HEIGHT * _WIDTH
        self.enc = nn.Sequential(normed(features, numbers), normed(numbers, numbers))
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(_CHANNELS):
            layers += [_doubling(inputs, outputs), _filtered(outputs)]
        exit_layer = small(nn.Conv2d(_CHANNELS[-1], 2, 3, padding=1))
        self.decoder = nn.Sequential(*layers, exit_layer)

    def forward(self, features: Tensor) -> Tensor:
        maps = self.enc(features).view(len(features), -1, _HEIGHT, _WIDTH)
        return torch.tanh(self.decoder(maps))


def _doubling(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
        nn.ReflectionPad2d(1),
        small(nn.Conv2d(inputs, outputs, 3)),
        nn.LeakyReLU(0.2),
    )


def _filtered(width: int) -> nn.Sequential:
    filters = small(nn.Conv2d(width, width, 3, padding=1))
    return nn.Sequential(filters, nn.BatchNorm2d(width), nn.LeakyReLU(0.2))
