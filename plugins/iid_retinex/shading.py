"""The idea: a step between neighbouring pixels is paint if it is steep or changes colour, and light
otherwise.

Grosse, Johnson, Adelson & Freeman, "Ground truth dataset and baseline evaluations for intrinsic
image algorithms", ICCV 2009 (colour Retinex)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from iid_retinex.poisson import Gradient, gradient, integrate

_DARK = 1e-2  # of the photo's mean, added before the logarithm: what is darker is noise, not paint
_BLACK = 2e-3  # of the photo's mean: a pixel below it in every channel is background and says nothing of its neighbours
_WHITE = 0.995  # share of pixels whose albedo is at most 1
_LOOKED_AT = 1 << 18  # pixels from which that share is taken


class Thresholds(nn.Module):
    """What is fitted: ``values`` [2], steps of log brightness and of log chromaticity that count as
    paint."""

    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("values", torch.tensor([0.2, 0.1]))

    def forward(self, photos: Tensor) -> Tensor:
        """[B,3,H,W] linear → shading [B,1,H,W]."""
        return estimate_shading(photos, self.values)


def estimate_shading(photos: Tensor, thresholds: Tensor) -> Tensor:
    """[B,3,H,W] linear and (brightness, chromaticity) [2] → shading [B,1,H,W], in units in which
    white paint is 1."""
    shading = integrate_light(measure_steps(photos), thresholds)
    return shading * _white(photos / shading)


class Steps(NamedTuple):
    """What changes from each pixel to the one below it [B,1,H-1,W] and to the one on its right
    [B,1,H,W-1].

    ``brightness`` in logarithm, with sign; ``chroma`` the length of the change of log chromaticity;
    ``known`` 1 where neither pixel is black, else 0."""

    brightness: Gradient
    chroma: Gradient
    known: Gradient


def measure_steps(photos: Tensor) -> Steps:
    """The steps of photos [B,3,H,W] linear, whatever their exposure."""
    photos = photos / _level(photos)
    colours = photos.add(_DARK).log()
    down, right = gradient(colours - colours.mean(dim=1, keepdim=True))
    lit = (photos.amax(dim=1, keepdim=True) > _BLACK).to(photos.dtype)
    return Steps(
        brightness=gradient(photos.mean(dim=1, keepdim=True).add(_DARK).log()),
        chroma=(_length(down), _length(right)),
        known=(lit[..., 1:, :] * lit[..., :-1, :], lit[..., 1:] * lit[..., :-1]),
    )


def keep_light(steps: Steps, thresholds: Tensor) -> Gradient:
    """The steps of brightness that belong to light; 0 where they belong to paint."""
    down, right = (
        torch.where((step.abs() > thresholds[0]) | (turn > thresholds[1]), 0, step)
        for step, turn in zip(steps.brightness, steps.chroma, strict=True)
    )
    return down, right


def integrate_light(steps: Steps, thresholds: Tensor) -> Tensor:
    """The shading [B,1,H,W] with the steps that belong to light, in any unit."""
    return integrate(keep_light(steps, thresholds), steps.known).exp()


def _length(change: Tensor) -> Tensor:
    return change.square().sum(dim=1, keepdim=True).sqrt()


def _level(photos: Tensor) -> Tensor:
    """Mean of what is not black, [B,1,1,1], positive: log light then does not depend on exposure or
    background."""
    lit = (photos.amax(dim=1, keepdim=True) > 0).expand_as(photos)
    total, count = photos.sum(dim=(1, 2, 3), keepdim=True), lit.sum(dim=(1, 2, 3), keepdim=True)
    return torch.where(total > 0, total / count.clamp(min=1), 1)


def _white(albedo: Tensor) -> Tensor:
    """What to divide an albedo [B,3,H,W] by so that it hardly exceeds 1, [B,1,1,1]."""
    stride = max(1, round((albedo[0, 0].numel() / _LOOKED_AT) ** 0.5))
    seen = albedo[..., ::stride, ::stride].amax(dim=1).flatten(1)
    white = seen.quantile(_WHITE, dim=1)[:, None, None, None]
    return torch.where(white > 0, white, 1)
