"""The parts of SfSNet (Sengupta et al., CVPR 2018) at any width, under their published names.

``width`` is that of the features; the published networks have 128. Maps keep half the photo's
size. Against the published code light is a mean over the whole map, not over 64 x 64 pixels, so
that photos may have any (even) size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_residual.networks.clues import Clues

#: How wide the published networks are.
PUBLISHED = 128
_LIGHT = 27
_BLOCKS = 5
#: The published light begins so (Caffe): small slopes, every coefficient at one.
_LIGHT_SPREAD, _LIGHT_BIAS = 0.005, 1.0


def filtered(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """A convolution that keeps the size, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Entrance(nn.Module):
    """Photo [B,3,H,W] → the shared features [B,width,H/2,W/2], neither normed nor rectified."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = filtered(3, width // 2, 7)
        self.conv2 = filtered(width // 2, width, 3)
        self.conv3 = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, photo: Tensor) -> Tensor:
        features: Tensor = self.conv3(self.conv2(self.conv1(photo)))
        return features


class Residual(nn.Module):
    """A block that norms before it filters; nothing follows the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.res = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.res(x)
        return out


class Features(nn.Module):
    """Shared features → those of one layer, [B,width,H/2,W/2]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        for number in range(_BLOCKS):
            self.add_module(f"block{number + 1}", Residual(width))
        self.bn1 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        for number in range(_BLOCKS):
            x = self.get_submodule(f"block{number + 1}")(x)
        return F.relu(self.bn1(x))


class Generator(nn.Module):
    """Features → a layer [B,3,H,W] with no last activation.

    ``zero_border`` is how the Caffe original enlarges: as if there were black around the map."""

    zero_border = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = filtered(width, width, 1)
        self.conv2 = filtered(width, width // 2, 3)
        self.conv3 = nn.Conv2d(width // 2, 3, 1)

    def forward(self, features: Tensor) -> Tensor:
        layer: Tensor = self.conv3(self.conv2(self.conv1(self._enlarged(features))))
        return layer

    def _enlarged(self, x: Tensor) -> Tensor:
        if not self.zero_border:
            return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        framed = F.pad(x, (1, 1, 1, 1))
        large = F.interpolate(framed, scale_factor=2, mode="bilinear", align_corners=False)
        return large[..., 2:-2, 2:-2]


class LightEstimator(nn.Module):
    """Clues, of which it takes the features alone → light [B,27]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = filtered(3 * width, width, 1)
        self.fc = nn.Linear(width, _LIGHT)
        nn.init.normal_(self.fc.weight, std=_LIGHT_SPREAD)
        nn.init.constant_(self.fc.bias, _LIGHT_BIAS)

    def forward(self, clues: Clues) -> Tensor:
        light: Tensor = self.fc(self.conv1(clues.features).mean((2, 3)))
        return light


class ResidualHead(nn.Module):
    """Three kinds of features, enlarged to ``size`` → what harmonics miss of the shading."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = filtered(3 * width, width, 1)
        self.conv2 = filtered(width, width // 2, 1)
        self.conv3 = filtered(width // 2, width // 2, 3)
        self.conv4 = nn.Conv2d(width // 2, 3, 1)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        large = F.interpolate(features, size=size, mode="bilinear", align_corners=True)
        residual: Tensor = self.conv4(self.conv3(self.conv2(self.conv1(large))))
        return residual


class MixHead(nn.Module):
    """Two pictures [B,3,H,W] → shading."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = filtered(6, width // 2, 1)
        self.conv2 = nn.Conv2d(width // 2, 3, 3, padding=1)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        shading: Tensor = self.conv2(self.conv1(torch.cat([one, other], 1)))
        return shading
