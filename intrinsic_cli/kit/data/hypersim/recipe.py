"""The published recipe that makes photos with layers of Hypersim's renderings, in linear light
throughout."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_BLACK = 1e-5  # a picture no brighter than this stays black


def brightness(rgb: Tensor) -> Tensor:
    """``[...,3,H,W]`` → ``[...,1,H,W]``: .30 R + .59 G + .11 B, the recipe's weights."""
    weights = rgb.new_tensor([0.3, 0.59, 0.11]).view(3, 1, 1)
    return (rgb * weights).sum(-3, keepdim=True)


def tonemap_scale(rgb: Tensor, valid: Tensor | None = None, gamma: float = 1.0) -> Tensor:
    """``[B,3,H,W]`` → the factor ``[B,1,1,1]`` that brings the 90th percentile of brightness to 0.8
    after gamma.

    Only pixels of ``valid`` [B,1,H,W] (all, if None) are looked at. 0 for a black picture, 1 where
    none is valid."""
    level = brightness(rgb)
    if valid is not None:
        invalid = valid < 0.5 if valid.is_floating_point() else ~valid
        level = level.masked_fill(invalid, torch.nan)
    bright = level.float().flatten(1).nanquantile(0.9, dim=1)
    bright = bright.view(-1, 1, 1, 1)
    scale = 0.8 ** (1 / gamma) / bright.clamp_min(_BLACK)
    scale = torch.where(bright < _BLACK, 0.0, scale)
    return scale.nan_to_num(nan=1.0)


def tonemap(rgb: Tensor, valid: Tensor | None = None, gamma: float = 1.0) -> Tensor:
    """``[B,3,H,W]`` high dynamic range → the same in [0,1], scaled by :func:`tonemap_scale`,
    highlights clipped."""
    return (rgb * tonemap_scale(rgb, valid, gamma)).clamp_min(0).pow(gamma).clamp(0, 1)


def shading_from_albedo(
    photo: Tensor, albedo: Tensor, epsilon: float = 1e-8, clip: bool = True
) -> Tensor:
    """The gray shading ``[B,1,H,W]`` that explains ``photo`` best, by least squares over channels:
    ``sum(I A) / (sum(A²) + epsilon)``; in [0,1] if ``clip``."""
    explained = (photo * albedo).sum(-3, keepdim=True)
    shading = explained / (albedo.square().sum(-3, keepdim=True) + epsilon)
    return shading.clamp(0, 1) if clip else shading


def square(image: Tensor, size: int) -> Tensor:
    """``[B,C,H,W]`` → the central ``[B,C,size,size]`` after the short side became ``size``:
    bilinear and without antialiasing, as the networks were trained."""
    height, width = image.shape[-2:]
    short = min(height, width)
    height = int(size * height / short)
    width = int(size * width / short)
    image = F.interpolate(image, (height, width), mode="bilinear", align_corners=False)
    top = (height - size) // 2
    left = (width - size) // 2
    rows = slice(top, top + size)
    columns = slice(left, left + size)
    return image[..., rows, columns]
