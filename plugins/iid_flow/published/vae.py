"""The autoencoders whose latents the flows live in: of albedo, or of gray shading, at an eighth of
the size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

LOGVAR_LIMIT = 10.0


class _Row(NamedTuple):
    """One convolution: ``strided`` = kernel 4 and stride 2 (halves the size, or doubles it where
    transposed), else kernel 3."""

    inputs: int
    outputs: int
    strided: bool = False


_ENCODERS = {
    "albedo16": (
        _Row(3, 64, True),
        _Row(64, 128),
        _Row(128, 256, True),
        _Row(256, 512),
        _Row(512, 32, True),
    ),
    "shading8": (
        *(_Row(1, 32), _Row(32, 32), _Row(32, 64), _Row(64, 64)),
        *(_Row(64, 128, True), _Row(128, 128), _Row(128, 256, True), _Row(256, 256)),
        *(_Row(256, 512, True), _Row(512, 512), _Row(512, 16)),
    ),
}
_DECODERS = {
    "albedo16": (
        _Row(16, 512, True),
        _Row(512, 256),
        _Row(256, 128, True),
        _Row(128, 64),
        _Row(64, 3, True),
    ),
    "shading8": (
        *(_Row(8, 512), _Row(512, 512), _Row(512, 256, True), _Row(256, 256)),
        *(_Row(256, 128, True), _Row(128, 128), _Row(128, 64, True), _Row(64, 64)),
        *(_Row(64, 32), _Row(32, 32), _Row(32, 1)),
    ),
}


class Coder(nn.Module):
    """Convolutions with batch norm and LeakyReLU after all but the last, in one Sequential called
    ``model``.

    The decoder's are transposed even where they do not enlarge: there they are plain convolutions
    written backwards, kept because the published weights are stored that way."""

    def __init__(self, rows: Sequence[_Row], transposed: bool) -> None:
        super().__init__()
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        layers: list[nn.Module] = []
        for row in rows:
            kernel, stride = (4, 2) if row.strided else (3, 1)
            layers.append(kind(row.inputs, row.outputs, kernel, stride, padding=1))
            layers.append(nn.BatchNorm2d(row.outputs))
            layers.append(nn.LeakyReLU(0.2))
        del layers[-2:]
        if transposed:
            layers.append(nn.Tanh())
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        coded: Tensor = self.model(x)
        return coded


class VAE(nn.Module):
    """``[B,3|1,H,W]`` in [-1,1] ↔ latents ``[B,16|8,H/8,W/8]``, used raw: no scale factor, no
    normalisation."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        down, up = _ENCODERS[variant], _DECODERS[variant]
        self.channels = down[0].inputs
        self.latent = up[0].inputs
        self.encoder = Coder(down, transposed=False)
        self.decoder = Coder(up, transposed=True)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, each ``[B,16|8,H/8,W/8]``."""
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        return mean, logvar

    def decode(self, z: Tensor) -> Tensor:
        """The image of ``z``, in [-1,1]."""
        image: Tensor = self.decoder(z)
        return image

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction from a posterior sample, with the mean and log variance."""
        mean, logvar = self.encode(x)
        return self.decode(sample(mean, logvar)), mean, logvar


def sample(mean: Tensor, logvar: Tensor) -> Tensor:
    """A draw from the posterior, ``mean + noise * exp(logvar / 2)``."""
    return mean + torch.randn_like(mean) * (0.5 * logvar.clamp(-LOGVAR_LIMIT, LOGVAR_LIMIT)).exp()


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """Kullback-Leibler divergence from N(0, 1), averaged over elements: ``-(1 + logvar - mean² -
    e^logvar) / 2``."""
    logvar = logvar.clamp(-LOGVAR_LIMIT, LOGVAR_LIMIT)
    return -0.5 * (1 + logvar - mean.square() - logvar.exp()).mean()


def normal_start(net: nn.Module) -> None:
    """The first network's initial weights: convolutions N(0, .02), batch norms N(1, .02), biases 0
    (as in DCGAN)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
