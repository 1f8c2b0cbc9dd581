"""Parts that stand where SfSNet's stand, made for one CPU core: a pretrained encoder, features at
a quarter of the photo's size, layers at half of it, and a light that is fitted to them.

``width`` is that of the features, a multiple of 8: so many groups their norms have.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_residual.domain import received
from iid_residual.harmonics import unit
from iid_residual.networks.clues import Clues
from iid_residual.networks.facing import ByFacing
from iid_residual.networks.light_fit import LightFit
from intrinsic_cli.kit.networks.blocks import Block, doubled, with_gradient
from intrinsic_cli.kit.networks.efficientnet import CHANNELS, Encoder

WIDTH = 64
#: Maps of the encoder that are used: strides 2, 4, 8, 16.
_DEPTH = 4
_PIXELS = 4  # a side of the squares that features stand for
_LIGHT = 27
#: Channels beside the features: normals, shading, photo, albedo and where the head is.
_SEEN = 13
#: Reflectance and shading, in a network's numbers, that a light is fitted to at least and at most.
_DARKEST, _BRIGHTEST = 0.02, 6.0


class Entrance(nn.Module):
    """Photo [B,3,H,W] in -1..1, sides multiples of 16 → shared features [B,width,H/4,W/4].

    The encoder's maps come together from coarse to fine, with a block at each size: the coarse ones
    cost little and see all of the head. At last the photo's own pixels join them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = Encoder(_DEPTH)
        _, fine, middle, coarse = CHANNELS[:_DEPTH]
        self.coarse = nn.Conv2d(coarse, 2 * width, 1)
        self.coarse_block = Block(2 * width)
        self.middle = nn.Conv2d(2 * width + middle, 2 * width, 1)
        self.middle_block = Block(2 * width)
        self.side = nn.Conv2d(2 * width + fine, width, 1)
        details = 3 * _PIXELS**2 + 4 * CHANNELS[0]
        self.fine = nn.Conv2d(details, width, 1)
        self.smooth = Block(width)

    def forward(self, photo: Tensor) -> Tensor:
        finest, fine, middle, coarse = self.encoder(photo)
        merged = self.coarse_block(self.coarse(coarse))
        merged = self.middle(torch.cat([doubled(merged), middle], 1))
        merged = self.middle_block(merged)
        merged = self.side(torch.cat([doubled(merged), fine], 1))
        pixels = F.pixel_unshuffle(photo, _PIXELS)
        details = torch.cat([pixels, F.pixel_unshuffle(finest, 2)], 1)
        features: Tensor = self.smooth(merged + self.fine(details))
        return features


class Features(nn.Module):
    """Shared features → those of one layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = Block(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.block(with_gradient(x)))


class Generator(nn.Module):
    """Features → a layer [B,3,H/2,W/2] with no last activation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enlarge = _doubling(width)
        self.exit = _exit(width // 4)

    def forward(self, features: Tensor) -> Tensor:
        layer: Tensor = self.exit(self.enlarge(features))
        return layer


class Outline(nn.Module):
    """Features → a logit of where the head is, [B,1,H/4,W/4]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.exit = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        outline: Tensor = self.exit(features)
        return outline


class LightEstimator(nn.Module):
    """Clues → light [B,27]: what photo over albedo tells of it on the normals, and where that tells
    nothing, what features do: their mean, and what they are where the face turns this way or that.

    Normals and albedo do not learn from it: a light must not bend them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3 * width, 2 * width, 1), nn.SiLU())
        self.fc = nn.Linear(2 * width, _LIGHT)
        self.trust = nn.Conv2d(3 * width, 1, 1)
        self.facing = ByFacing(3 * width + _SEEN)
        self.fit = LightFit()
        nn.init.normal_(self.fc.weight, std=0.02)
        nn.init.zeros_(self.fc.bias)
        with torch.no_grad():
            self.fc.bias[::9] = 1.0

    def forward(self, clues: Clues) -> Tensor:
        trust = self.trust(clues.features).sigmoid()
        inside = torch.ones_like(trust)
        if clues.outline is not None:
            inside = clues.outline.detach().sigmoid()
        size = (trust.shape[-2], trust.shape[-1])
        normals = unit(_small(clues.normals.detach(), size))
        albedo = _small(clues.albedo.detach(), size).clamp_min(_DARKEST)
        photo = _small(received(clues.photo), size)
        shading = (photo / albedo).clamp(max=_BRIGHTEST)
        seen = torch.cat([clues.features, normals, shading, photo, albedo, inside], 1)
        of_all = self.conv1(clues.features).mean((2, 3))
        prior = self.fc(of_all) + self.facing(seen, normals, inside)
        light: Tensor = self.fit(normals, shading, trust * inside, prior)
        return light


class ResidualHead(nn.Module):
    """Three kinds of features → what harmonics miss of the shading, [B,3,H/2,W/2].

    It begins by saying that they miss nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.merge = nn.Sequential(nn.Conv2d(3 * width, width, 1), nn.SiLU(), Block(width))
        self.enlarge = _doubling(width)
        self.exit = _exit(width // 4)
        for numbers in self.exit[-1].parameters():
            nn.init.zeros_(numbers)

    def forward(self, features: Tensor, size: tuple[int, int]) -> Tensor:
        residual: Tensor = self.exit(self.enlarge(self.merge(features)))
        return residual


class MixHead(nn.Module):
    """Two pictures [B,3,h,w] → shading."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.filters = nn.Sequential(nn.Conv2d(6, width // 4, 3, padding=1), _exit(width // 4))

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        shading: Tensor = self.filters(torch.cat([one, other], 1))
        return shading


def _doubling(width: int) -> nn.Sequential:
    """[B,width,h,w] → [B,width/4,2h,2w]."""
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.PixelShuffle(2))


def _exit(width: int) -> nn.Sequential:
    filters = nn.Conv2d(width, width, 3, padding=1)
    return nn.Sequential(nn.SiLU(), filters, nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))


def _small(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size=size, mode="area")
