"""Discriminators of albedos: one logit a picture, whatever its size; small ones are enlarged so
far that norms have more than one place of a map to compare."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from iid_residual.variants import Adversary

_SLOPE = 0.2


class JointDiscriminator(nn.Module):
    """That of the variant gan: four halvings with instance norms, then a filter over all of the
    map. Published are 64 channels and pictures of 128 pixels."""

    _MAP = 8
    _LEAST = 32

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(_SLOPE),
            *_normed(width, 2 * width),
            *_normed(2 * width, 4 * width),
            *_normed(4 * width, 8 * width),
        )
        self.exit = nn.Conv2d(8 * width, 1, 11, padding=1, bias=False)

    def forward(self, albedo: Tensor) -> Tensor:
        """[B,3,h,w] → [B]."""
        maps = self.layers(_at_least(albedo, self._LEAST))
        maps = F.adaptive_avg_pool2d(maps, self._MAP)
        logits: Tensor = self.exit(F.pad(maps, (1, 0, 1, 0)))
        return logits.flatten()


class SeparateDiscriminator(nn.Module):
    """That of gan-separate and gan-label: five halvings with batch norms, then a filter over all
    of the map. Answers 0..1."""

    _MAP = 4
    _LEAST = 64

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, width, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(_SLOPE),
        ]
        for step in range(4):
            inputs = width << step
            layers += [
                nn.Conv2d(inputs, 2 * inputs, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(2 * inputs),
                nn.LeakyReLU(_SLOPE),
            ]
        self.layers = nn.Sequential(*layers)
        self.exit = nn.Conv2d(16 * width, 1, self._MAP, bias=False)

    def forward(self, albedo: Tensor) -> Tensor:
        """[B,3,h,w] → [B]."""
        maps = self.layers(_at_least(albedo, self._LEAST))
        maps = F.adaptive_avg_pool2d(maps, self._MAP)
        logits: Tensor = self.exit(maps)
        return logits.flatten().sigmoid()


def discriminator(adversary: Adversary, width: int) -> nn.Module:
    """The one of a variant."""
    return JointDiscriminator(width) if adversary == "joint" else SeparateDiscriminator(width)


def _at_least(picture: Tensor, side: int) -> Tensor:
    """[B,3,h,w] with no side shorter than this."""
    height, width = picture.shape[-2:]
    if min(height, width) >= side:
        return picture
    size = (max(height, side), max(width, side))
    return F.interpolate(picture, size=size, mode="bilinear")


def _normed(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
    return convolution, nn.InstanceNorm2d(outputs), nn.LeakyReLU(_SLOPE)
