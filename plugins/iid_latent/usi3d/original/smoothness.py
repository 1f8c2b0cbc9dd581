"""Reflectance smoothness: neighbours of like chromaticity should have like reflectance, over four
scales.

The published code has this term after CGIntrinsics (Li and Snavely, ECCV 2018); no configuration
gives it weight."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from intrinsic_cli.kit.light.colour import srgb_to_linear

#: What each scale counts, from the finest on.
SCALES = (1.0, 0.5, 0.3333, 0.25)
_CHROMA, _BRIGHTNESS = 0.025, 0.1  # how far features of like pixels may lie apart


def smoothness(reflectance: Tensor, photo: Tensor) -> Tensor:
    """The term for ``reflectance`` [B,3,H,W] made of ``photo`` [B,3,H,W] in sRGB codes; H and W at
    least 17."""
    parts = zip(SCALES, losses(reflectance, photo), strict=True)
    return torch.stack([share * loss for share, loss in parts]).sum()


def losses(reflectance: Tensor, photo: Tensor) -> Iterator[Tensor]:
    """The term of every scale on its own."""
    seen = features(photo)
    for k in range(len(SCALES)):
        step = 1 << k
        r = reflectance[..., ::step, ::step]
        near = likeness(seen[..., ::step, ::step])
        apart = torch.stack([(r[..., 1:-1, 1:-1] - other).abs() for other in _window(r)])
        yield (near[:, :, None] * apart).mean((1, 2, 3, 4)).sum() / (8 * r.shape[1])


def features(photo: Tensor) -> Tensor:
    """sRGB codes [B,3,H,W] → red and green chromaticity and a third of the brightness, of linear
    light."""
    light = srgb_to_linear(photo).clamp(min=1e-4)
    total = light.sum(1, keepdim=True) + 1e-6
    return torch.cat([light[:, :2] / total, total / 3], dim=1)


def likeness(seen: Tensor) -> Tensor:
    """Features [B,3,h,w] → how alike each inner pixel and its 3x3 window are, [9,B,h-2,w-2] in
    0..1, row by row."""
    width = seen.new_tensor([_CHROMA, _CHROMA, _BRIGHTNESS])[:, None, None]
    centre = seen[..., 1:-1, 1:-1]
    return torch.stack(
        [(-((centre - other) / width).square().sum(1)).exp() for other in _window(seen)]
    )


def _window(x: Tensor) -> Iterator[Tensor]:
    """The neighbours of the inner pixels, row by row, the pixels themselves in the middle."""
    height, width = x.shape[-2:]
    for dy in range(3):
        for dx in range(3):
            yield x[..., dy : height - 2 + dy, dx : width - 2 + dx]
