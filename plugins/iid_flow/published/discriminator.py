"""The patch discriminator (PatchGAN, Isola et al. 2017) that the autoencoders train against."""

from __future__ import annotations

from torch import Tensor, nn


class Discriminator(nn.Module):
    """``[B,c,H,W]`` in [-1,1] → one logit for each overlapping patch; 256² gives 31 x 31. H and W
    at least 16."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, 64, 4, 2, 1), nn.Identity(), nn.LeakyReLU(0.2)),
                nn.Sequential(
                    nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2)
                ),
                nn.Sequential(
                    nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2)
                ),
                nn.Sequential(nn.Conv2d(256, 1, 4, 1, 1, bias=False)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x
