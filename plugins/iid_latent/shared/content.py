"""The content encoder of the default networks: a pretrained backbone and a pyramid that
gathers its maps."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from iid_latent.shared.log_images import encoder_input
from intrinsic_cli.kit.networks.blocks import Block, doubled
from intrinsic_cli.kit.networks.efficientnet import CHANNELS, Encoder, load_imagenet

#: The backbone halves its map four times: sides of photos are multiples of this.
MULTIPLE = 16
#: Content lies at a quarter of the photo's size.
FACTOR = 4


class Backbone(nn.Module):
    """EfficientNet-Lite0 down to stride 16: log images [B,3,H,W] → maps at strides 4, 8, 16, and
    the pixels."""

    def __init__(self, pretrained: bool) -> None:
        super().__init__()
        self.encoder = Encoder(depth=4)
        if pretrained:
            load_imagenet(self.encoder)

    def forward(self, image: Tensor) -> list[Tensor]:
        pixels = F.pixel_unshuffle(image, FACTOR)
        return [pixels, *self.encoder(encoder_input(image))[1:]]


class Pyramid(nn.Module):
    """Maps of :class:`Backbone` → content [B,width,H/4,W/4], from coarse to fine.

    ``deep`` channels, if any, are spent on looking around at strides 16 and 32 first.
    """

    def __init__(self, width: int, deep: int = 0) -> None:
        super().__init__()
        _, fine, middle, coarse = CHANNELS[:4]
        enter = nn.Conv2d(deep or coarse, width, 1)
        around = [Around(coarse, deep)] if deep else []
        self.deep = nn.Sequential(*around, enter, Block(width))
        self.middle = nn.Conv2d(middle, width, 1)
        self.fine = nn.Conv2d(fine, width, 1)
        self.pixels = nn.Conv2d(3 * FACTOR**2, width, 1)
        self.mix8 = Block(width)
        self.mix4 = Block(width)

    def forward(self, maps: list[Tensor]) -> Tensor:
        return self.levels(maps)[0]

    def levels(self, maps: list[Tensor]) -> list[Tensor]:
        """What is known at strides 4, 8 and 16; the first is the content."""
        pixels, fine, middle, deep = maps
        coarse = self.deep(deep)
        eighth = doubled(coarse) + self.middle(middle)
        eighth = self.mix8(eighth)
        quarter = doubled(eighth) + self.fine(fine) + self.pixels(pixels)
        quarter = self.mix4(quarter)
        return [quarter, eighth, coarse]


class Around(nn.Module):
    """The coarsest map and what lies around each of its cells, seen at half its size."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(inputs, width, 1), Block(width))
        self.wide = nn.Sequential(Block(width), Block(width))

    def forward(self, x: Tensor) -> Tensor:
        near = self.enter(x)
        far = self.wide(F.avg_pool2d(near, 2, ceil_mode=True))
        out: Tensor = near + F.interpolate(
            far, near.shape[-2:], mode="bilinear", align_corners=False
        )
        return out
