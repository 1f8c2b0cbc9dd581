"""The idea: a step between neighbouring pixels is paint if it is steep or changes colour, and light
otherwise.

Grosse, Johnson, Adelson & Freeman, "Ground truth dataset and baseline evaluations for intrinsic
image algorithms", ICCV 2009 (colour Retinex)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from iid_retinex.pieces import same_light
from iid_retinex.silhouette import find_silhouettes
from intrinsic_cli.kit.light.poisson import Gradient, gradient, integrate

#: Of the photo's mean, added before the logarithm: what is darker is noise, not paint.
_DARK = 1e-2
#: Of the photo's mean: a pixel below it in every channel says nothing of its neighbours.
_BLACK = 2e-3
_WHITE = 0.995  # share of pixels whose albedo is at most 1
_SAMPLED = 1 << 18  # pixels from which that share is taken


class Thresholds(nn.Module):
    """What is fitted: ``values`` [2], steps of log brightness and of log chromaticity that count as
    paint."""

    values: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("values", torch.tensor([0.2, 0.1]))

    def forward(self, photos: Tensor) -> Tensor:
        """[B,3,H,W] linear (or [B,4,H,W] with alpha) → shading [B,1,H,W]."""
        return estimate_shading(photos, self.values)


def estimate_shading(photos: Tensor, thresholds: Tensor) -> Tensor:
    """Photos [B,3,H,W] linear (or [B,4,H,W] with alpha) and (brightness, chromaticity) [2] →
    shading [B,1,H,W], in units in which white paint is 1."""
    steps = measure_steps(photos)
    shading = integrate_light(steps, thresholds)
    return shading * _white(_colours(photos) / shading, steps.inside)


class Steps(NamedTuple):
    """What changes from each pixel to the one below it [B,1,H-1,W] and to the one on its right
    [B,1,H,W-1].

    ``brightness`` in logarithm, with sign; ``chroma`` the length of the change of log chromaticity;
    ``weight`` 1 where a step counts, else 0. Of pixels [B,1,H,W] bool: ``lit`` is not black,
    ``inside`` is where the object is."""

    brightness: Gradient
    chroma: Gradient
    weight: Gradient
    lit: Tensor
    inside: Tensor


def measure_steps(photos: Tensor) -> Steps:
    """The steps of photos [B,3,H,W] linear (or [B,4,H,W] with alpha), whatever their exposure.
    Steps from and to black do not count, nor those outside the object."""
    inside = find_silhouettes(photos)
    photos = _colours(photos)
    photos = photos / _level(photos, inside)
    brightness = photos.mean(dim=1, keepdim=True).add(_DARK).log()
    colours = photos.add(_DARK).log()
    colours = colours - colours.mean(dim=1, keepdim=True)
    down, right = gradient(colours)
    lit = (photos.amax(dim=1, keepdim=True) > _BLACK) & inside
    known = lit.to(photos.dtype)
    return Steps(
        brightness=gradient(brightness),
        chroma=(_length(down), _length(right)),
        weight=(known[..., 1:, :] * known[..., :-1, :], known[..., 1:] * known[..., :-1]),
        lit=lit,
        inside=inside,
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
    field = integrate(keep_light(steps, thresholds), steps.weight)
    cut_out = ~steps.inside.flatten(1).all(dim=1)
    for i in cut_out.nonzero()[:, 0].tolist():
        one = slice(i, i + 1)
        field[one] = same_light(field[one], steps.lit[one])
    return field.exp()


def _length(change: Tensor) -> Tensor:
    return change.square().sum(dim=1, keepdim=True).sqrt()


def _level(photos: Tensor, inside: Tensor) -> Tensor:
    """Mean of what is not black inside, [B,1,1,1], positive: log light then does not depend on
    exposure or background."""
    everywhere = (1, 2, 3)
    lit = photos.amax(dim=1, keepdim=True) > 0
    lit = (lit & inside).expand_as(photos)
    if not bool(inside.all()):
        photos = photos * inside
    total = photos.sum(dim=everywhere, keepdim=True)
    count = lit.sum(dim=everywhere, keepdim=True)
    mean = total / count.clamp(min=1)
    return torch.where(total > 0, mean, 1)


def _white(albedo: Tensor, inside: Tensor) -> Tensor:
    """What to divide an albedo [B,3,H,W] by so that it hardly exceeds 1 inside, [B,1,1,1]."""
    pixels = albedo[0, 0].numel()
    stride = max(1, round((pixels / _SAMPLED) ** 0.5))
    brightest = albedo.amax(dim=1, keepdim=True)
    brightest = brightest.masked_fill(~inside, math.nan)
    sampled = brightest[..., ::stride, ::stride]
    white = sampled.flatten(1).nanquantile(_WHITE, dim=1)
    white = white[:, None, None, None]
    return torch.where(white > 0, white, 1)


def _colours(photos: Tensor) -> Tensor:
    """Without alpha, in the order in memory that photos have without one: sums depend on it."""
    if photos.shape[1] == 3:
        return photos
    return photos[:, :3].contiguous(memory_format=torch.channels_last)
