"""SkipNet: the teacher that gives pseudo labels in SfSNet's training, at any width.

Published are 64 channels at the beginning and photos of 128 pixels. Here the map before the code
is brought to 4 x 4 whatever the photo's size, whose sides are multiples of 32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

PUBLISHED = 64
_CODE = 4  # times the width
_MAP = 4  # pixels, of the map behind the code
_SLOPE = 0.2


@dataclass(frozen=True, slots=True)
class Codes:
    """What the encoder hands on: its code [B,4·width] and maps from fine to coarse."""

    code: Tensor
    maps: tuple[Tensor, Tensor, Tensor, Tensor]
    size: tuple[int, int]


def _down(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(_SLOPE))


def _up(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(_SLOPE))


class Encoder(nn.Module):
    """Photo [B,3,H,W] → codes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        most = 4 * width
        self.conv1 = nn.Conv2d(3, width, 4, stride=2, padding=1)
        self.conv2 = _down(width, 2 * width)
        self.conv3 = _down(2 * width, most)
        self.conv4 = _down(most, most)
        self.conv5 = _down(most, most)
        pixels = _MAP * _MAP
        self.fc256 = nn.Linear(most * pixels, _CODE * width)

    def forward(self, photo: Tensor) -> Codes:
        first = self.conv1(photo)
        second = self.conv2(first)
        third = self.conv3(second)
        fourth = self.conv4(third)
        last = self.conv5(fourth)
        code = self.fc256(F.adaptive_avg_pool2d(last, _MAP).flatten(1))
        return Codes(code, (first, second, third, fourth), (last.shape[-2], last.shape[-1]))


class Decoder(nn.Module):
    """Codes → a layer [B,3,H,W]; the encoder's maps are added, not appended."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dconv1 = _up(4 * width, 4 * width)
        self.dconv2 = _up(4 * width, 4 * width)
        self.dconv3 = _up(4 * width, 2 * width)
        self.dconv4 = _up(2 * width, width)
        self.dconv5 = _up(width, width)
        self.conv6 = nn.Conv2d(width, 3, 1)

    def forward(self, codes: Codes) -> Tensor:
        first, second, third, fourth = codes.maps
        x = codes.code[:, :, None, None].expand(-1, -1, *codes.size)
        x = self.dconv1(x) + fourth
        x = self.dconv2(x) + third
        x = self.dconv3(x) + second
        x = self.dconv4(x) + first
        layer: Tensor = self.conv6(self.dconv5(x))
        return layer
