"""White balls under known light, and a network that knows a ball when it sees one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from iid_residual import harmonics
from iid_residual.decomposer import ResidualDecomposer
from iid_residual.networks.pipe import Conventions, Prediction
from iid_residual.relight import lamp, with_ambient
from iid_residual.settings import ResidualOptions
from iid_residual.variants import design_of
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.files.photo import Photo

RUNTIME = Runtime(torch.device("cpu"))
#: Of half the side of what the network sees.
RADIUS = 0.9
_MEAN = 0.35  # of a lit photo, in the network's numbers
_ORDERS = 4  # coefficients of the first two orders


def ball_normals(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Normals [1,3,h,w] (x down, y right) of a ball that all but fills the picture, and where it is
    [1,1,h,w]."""
    reach = RADIUS * min(height, width) / 2
    y = (torch.arange(height) + 0.5 - height / 2) / reach
    x = (torch.arange(width) + 0.5 - width / 2) / reach
    down, right = torch.meshgrid(y, x, indexing="ij")
    near = (1 - down**2 - right**2).clamp_min(0).sqrt()
    inside = down**2 + right**2 < 1
    normals = torch.stack([down, right, near])[None]
    return harmonics.unit(normals), inside[None, None].float()


def even_light(level: float = 0.6) -> Tensor:
    """Light [1,27] from everywhere."""
    light = torch.zeros(1, 27)
    light[0, ::9] = level
    return light


def lamp_from(azimuth: float, elevation: float) -> Tensor:
    """A white lamp's light [1,27], so soft that its second order is nothing."""
    light = with_ambient(lamp(even_light(), harmonics.towards(azimuth, elevation)), 0.5)
    nine = light.view(1, 3, 9)
    nine[..., _ORDERS:] = 0
    return light


def ball_photo(light: Tensor, side: int = 96, x: int = 0, y: int = 0, size: Any = None) -> Photo:
    """A photo of ``size`` (height, width), gray, with a ball in the square of ``side`` pixels whose
    corner is ``x``, ``y``."""
    height, width = size or (side, side)
    pixels = np.full((height, width, 3), 0.2, np.float32)
    normals, inside = ball_normals(side, side)
    shading = harmonics.shade(normals, light).clamp_min(0.01)
    ball = (inside * shading)[0].permute(1, 2, 0).numpy()
    there = inside[0].permute(1, 2, 0).numpy()
    window = (slice(y, y + side), slice(x, x + side))
    pixels[window] += there * (ball - pixels[window])
    return Photo(pixels)


class BallNetwork(nn.Module):
    """Takes the ball for a face: knows its normals and finds the light by least squares."""

    def __init__(self, outline: bool = True) -> None:
        super().__init__()
        self.outline = outline
        self.seen: list[tuple[int, ...]] = []

    def forward(self, photo: Tensor) -> Prediction:
        self.seen.append(tuple(photo.shape))
        normals, inside = ball_normals(*photo.shape[-2:])
        light = torch.cat([_fitted(one, normals, inside) for one in _linear(photo)])
        normals = normals.expand(len(photo), -1, -1, -1)
        shading = harmonics.shade(normals, light)
        logit = 12 * (2 * inside - 1).expand(len(photo), -1, -1, -1)
        albedo = torch.ones_like(shading)
        nothing = torch.zeros_like(shading)
        return Prediction(
            normals,
            albedo,
            light,
            shading,
            nothing,
            shading,
            shading,
            outline=logit if self.outline else None,
        )


def ball_decomposer(network: nn.Module | None = None, **options: Any) -> ResidualDecomposer:
    """A decomposer around such a network, which sees faces 64 pixels large."""
    settings = ResidualOptions(size=64, **options)
    seeing: Any = network or BallNetwork()
    return ResidualDecomposer(design_of(""), seeing, Conventions(), settings, RUNTIME)


def _linear(seen: Tensor) -> Tensor:
    """What the network is given → linear light in its numbers."""
    share = ((seen + 1) / 2).clamp(0, 0.999).pow(1 / 0.6)
    return _MEAN * share / (1 - share)


def _fitted(photo: Tensor, normals: Tensor, inside: Tensor) -> Tensor:
    """The light [1,27] under which a white ball looks like the photo [3,h,w]."""
    # Near its outline pixels are mixed with what is behind.
    where = (inside[0, 0] > 0) & (normals[0, 2] > 0.4)
    rows = harmonics.basis(normals)[0, :_ORDERS, where].T
    found = torch.linalg.lstsq(rows, photo[:, where].T).solution
    light = torch.zeros(1, 3, 9)
    light[0, :, :_ORDERS] = found.T
    return light.reshape(1, 27)
