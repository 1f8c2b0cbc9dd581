"""The idea: a step between neighbouring pixels is paint if it is steep or changes colour, and light otherwise.

Grosse, Johnson, Adelson & Freeman, "Ground truth dataset and baseline evaluations for intrinsic image algorithms",
ICCV 2009 (colour Retinex).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iid_retinex.poisson import Gradient, gradient, integrate

_DARK = 1e-2  # of the photo's mean, added before the logarithm: what is darker is noise, not paint
_BLACK = 2e-3  # of the photo's mean: a pixel below it in every channel is background and says nothing of its neighbours
_WHITE = 0.995  # share of pixels whose albedo is at most 1
_LOOKED_AT = 1 << 18  # pixels from which that share is taken


class Thresholds(nn.Module):
    """What is fitted: ``values`` [2], steps of log brightness and of log chromaticity that count as paint."""

    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("values", torch.tensor([0.2, 0.1]))

    def forward(self, photos: Tensor) -> Tensor:
        """[B,3,H,W] linear → shading [B,1,H,W]."""
        return estimate_shading(photos, self.values)


def estimate_shading(photos: Tensor, thresholds: Tensor) -> Tensor:
    """[B,3,H,W] linear and (brightness, chromaticity) [2] → shading [B,1,H,W], in units in which white paint is 1."""
    relative = photos / _level(photos)
    light = keep_light(relative, thresholds)
    shading = integrate(light, _between_lit(relative)).exp()
    return shading * _white(photos / shading)


def keep_light(photos: Tensor, thresholds: Tensor) -> Gradient:
    """The gradient of log brightness [B,1,H-1,W], [B,1,H,W-1] where it belongs to light, and 0 where to paint."""
    brightness = photos.mean(dim=1, keepdim=True).add(_DARK).log()
    colours = photos.add(_DARK).log()
    chroma = colours - colours.mean(dim=1, keepdim=True)
    down, right = (
        torch.where((step.abs() > thresholds[0]) | (turn.norm(dim=1, keepdim=True) > thresholds[1]), 0, step)
        for step, turn in zip(gradient(brightness), gradient(chroma), strict=True)
    )
    return down, right


def _between_lit(photos: Tensor) -> Gradient:
    """1 on edges whose two pixels are not black, else 0."""
    lit = (photos.amax(dim=1, keepdim=True) > _BLACK).to(photos.dtype)
    return lit[..., 1:, :] * lit[..., :-1, :], lit[..., 1:] * lit[..., :-1]


def _level(photos: Tensor) -> Tensor:
    """Mean of what is not black, [B,1,1,1], positive: log light then does not depend on exposure or background."""
    lit = (photos.amax(dim=1, keepdim=True) > 0).expand_as(photos)
    total, count = photos.sum(dim=(1, 2, 3), keepdim=True), lit.sum(dim=(1, 2, 3), keepdim=True)
    return torch.where(total > 0, total / count.clamp(min=1), 1)


def _white(albedo: Tensor) -> Tensor:
    """What to divide an albedo [B,3,H,W] by so that it hardly exceeds 1, [B,1,1,1]."""
    stride = max(1, round((albedo[0, 0].numel() / _LOOKED_AT) ** 0.5))
    seen = albedo[..., ::stride, ::stride].amax(dim=1).flatten(1)
    white = seen.quantile(_WHITE, dim=1)[:, None, None, None]
    return torch.where(white > 0, white, 1)
