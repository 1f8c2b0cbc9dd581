"""The separating network: one backbone, and for each layer an encoder into a latent space of its
own and a decoder.

The paper gives every layer its own encoder and decoder; here the encoders share a pretrained
backbone, as the authors' predecessor code shares one encoder where there are three layers. The rest
is scaled to what two cores can train."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_latent.shared.content import Backbone, Pyramid
from intrinsic_cli.kit.networks.blocks import Block

#: Channels of the finest features.
FINE = 16

#: Features of one layer, from fine to coarse: [B,FINE,H/2,W/2] and [B,width,·,·] at strides 4, 8
#: and 16.
Features = list[Tensor]


class Head(Pyramid):
    """The encoder of one layer on top of the backbone's maps."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.finest = nn.Conv2d(12, FINE, 3, padding=1)

    # All levels, not only the finest as in the parent.
    def forward(self, maps: list[Tensor]) -> Features:  # type: ignore[override]
        finest, *rest = maps
        return [self.finest(finest), *self.levels(rest)]


class Decoder(nn.Module):
    """Features of one layer → the layer before :meth:`Composition.activate`, [B,3,H/2,W/2].

    What is known coarsely decides how much of each fine feature goes into it. The two
    finest levels are read; the coarser ones have gone into them."""

    def __init__(self, width: int, blocks: int = 2) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.enlarge = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.SiLU(),
        )
        self.gate = nn.Conv2d(width // 2, FINE, 3, padding=1)
        self.exit = nn.Conv2d(width // 2 + FINE, 3, 5, padding=2)

    def forward(self, features: Features) -> Tensor:
        drawn = self.enlarge(self.blocks(features[1]))
        fine = features[0] * self.gate(drawn).sigmoid()
        out: Tensor = self.exit(torch.cat([drawn, fine], 1))
        return out


class Separator(nn.Module):
    """Log images [B,3,H,W], sides multiples of 16 → ``layers`` at half size, in this order.

    Weights carry the layers' names, so that those of one model are not taken for another's.
    """

    def __init__(self, layers: Sequence[str], width: int, pretrained: bool = False) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.trunk = Backbone(pretrained)  # the name in shipped weights
        self.heads = nn.ModuleDict({name: Head(width) for name in layers})
        self.decoders = nn.ModuleDict({name: Decoder(width) for name in layers})

    def maps(self, image: Tensor) -> list[Tensor]:
        """What the encoders of all layers have in common."""
        return [F.pixel_unshuffle(image, 2), *self.trunk(image)]

    def encode(self, image: Tensor) -> list[Features]:
        """The image in the space of every layer."""
        maps = self.maps(image)
        return [head(maps) for head in self.heads.values()]

    def decode(self, k: int, features: Features) -> Tensor:
        """Layer ``k`` as its space has it."""
        out: Tensor = self.decoders[self.layers[k]](features)
        return out

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.decode(k, features) for k, features in enumerate(self.encode(image))]
