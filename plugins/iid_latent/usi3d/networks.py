"""The default networks of ``usi3d``: the paper's parts at widths two cores can train, on log
images.

Same parts, same doors as the published ones (``original.networks``): a domain encodes images to
content and prior and decodes them back. The photo's encoder stands on a pretrained
backbone; layers are drawn at half the photo's size, the house brings them to full size along the
photo's edges."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_latent.shared.content import Backbone, Pyramid
from intrinsic_cli.kit.networks.blocks import Block

PRIOR = 8
#: Channels of fine content.
FINE = 16
_HIDDEN = 64
_DEEP = 128

#: Coarse [B,C,H/4,W/4] and fine [B,FINE,H/2,W/2].
Content = tuple[Tensor, Tensor]


class AdaBlock(nn.Module):
    """A residual block whose instance norms take scale and shift from the prior (AdaIN)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, scales: Tensor, shifts: Tensor) -> Tensor:
        """``scales`` and ``shifts`` [B,2,C,1,1]."""
        h = self.conv1(F.relu(modulate(x, scales[:, 0], shifts[:, 0])))
        out: Tensor = x + self.conv2(F.relu(modulate(h, scales[:, 1], shifts[:, 1])))
        return out


def modulate(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Instance norm, then scale around one and shift."""
    return F.instance_norm(x) * (1 + scale) + shift


class LayerDecoder(nn.Module):
    """Content and prior [B,P,1,1] → log image [B,3,2h,2w].

    The coarse content decides, under the prior, how much of each fine content goes into the
    image."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.width = width
        self.style = mlp(PRIOR, _HIDDEN, blocks * 4 * width)
        self.blocks = nn.ModuleList(AdaBlock(width) for _ in range(blocks))
        self.enlarge = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.ReLU(),
        )
        self.gate = nn.Conv2d(width // 2, FINE, 3, padding=1)
        self.exit = nn.Conv2d(width // 2 + FINE, 3, 5, padding=2)

    def forward(self, content: Content, prior: Tensor) -> Tensor:
        coarse, fine = content
        count = len(self.blocks)
        style = self.style(prior.flatten(1))
        style = style.view(len(prior), count, 2, 2, self.width, 1, 1)
        for i, block in enumerate(self.blocks):
            scales, shifts = style[:, i].unbind(1)
            coarse = block(coarse, scales, shifts)
        drawn = self.enlarge(coarse)
        fine = fine * self.gate(drawn).sigmoid()
        out: Tensor = self.exit(torch.cat([drawn, fine], 1))
        return out


class PhotoDomain(nn.Module):
    """The domain of photos [B,3,H,W], sides multiples of 16."""

    def __init__(self, width: int, blocks: int, pretrained: bool = False) -> None:
        super().__init__()
        self.trunk = Backbone(pretrained)  # the names are those of shipped weights
        self.pyramid = Pyramid(width, _DEEP)
        self.fine = nn.Conv2d(12, FINE, 3, padding=1)
        self.prior = mlp(2 * width + 6, _HIDDEN, PRIOR)
        self.painter = LayerDecoder(width, blocks)

    def encode(self, image: Tensor) -> tuple[Content, Tensor]:
        coarse = self.pyramid(self.trunk(image))
        fine = self.fine(F.pixel_unshuffle(image, 2))
        return (coarse, fine), prior_of(self.prior, coarse, image)

    def decode(self, content: Content, prior: Tensor) -> Tensor:
        out: Tensor = self.painter(content, prior)
        return out


class LayerDomain(nn.Module):
    """The domain of albedos or of shadings, at half the photo's size [B,3,H/2,W/2]; its encoders
    only help training."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, FINE, 5, padding=2)
        self.coarse = nn.Sequential(
            nn.ReLU(), nn.Conv2d(FINE, width, 4, 2, 1), Block(width), Block(width)
        )
        self.prior = mlp(2 * width + 6, _HIDDEN, PRIOR)
        self.painter = LayerDecoder(width, blocks)

    def encode(self, image: Tensor) -> tuple[Content, Tensor]:
        fine = self.fine(image)
        coarse = self.coarse(fine)
        return (coarse, fine), prior_of(self.prior, coarse, image)

    def decode(self, content: Content, prior: Tensor) -> Tensor:
        out: Tensor = self.painter(content, prior)
        return out


class Separate(nn.Module):
    """The separating map: a photo's prior [B,P,1,1] → the priors of its albedo and its shading."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = mlp(PRIOR, _HIDDEN, _HIDDEN, 2 * PRIOR)

    def forward(self, prior: Tensor) -> tuple[Tensor, Tensor]:
        albedo, shading = self.layers(prior.flatten(1)).chunk(2, 1)
        return albedo[..., None, None], shading[..., None, None]


class Merge(nn.Module):
    """The way back: two layers' priors → the photo's."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = mlp(2 * PRIOR, _HIDDEN, _HIDDEN, PRIOR)

    def forward(self, albedo: Tensor, shading: Tensor) -> Tensor:
        merged: Tensor = self.layers(torch.cat([albedo, shading], 1).flatten(1))
        return merged[..., None, None]


def prior_of(layers: nn.Module, content: Tensor, image: Tensor) -> Tensor:
    """The prior [B,P,1,1] that ``layers`` make of the moments of content and image."""
    known = torch.cat([moments(content), moments(image)], 1)
    prior: Tensor = layers(known)
    return prior[..., None, None]


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def moments(x: Tensor) -> Tensor:
    """[B,C,H,W] → means and standard deviations [B,2C]."""
    flat = x.flatten(2)
    return torch.cat([flat.mean(2), (flat.var(2, unbiased=False) + 1e-5).sqrt()], 1)
