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
_NEIGHBOURS = 8  # of a pixel, which is its own ninth and adds nothing
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
        step = 2**k
        r = reflectance[..., ::step, ::step]
        near = likeness(seen[..., ::step, ::step])
        apart = torch.stack([(_inner(r) - other).abs() for other in _window(r)])
        weighted = near.unsqueeze(2) * apart
        of_neighbours = weighted.mean((1, 2, 3, 4))
        channels = r.shape[1]
        yield of_neighbours.sum() / (_NEIGHBOURS * channels)


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
    centre = _inner(seen)
    alike = []
    for other in _window(seen):
        apart = ((centre - other) / width).square().sum(1)
        alike.append((-apart).exp())
    return torch.stack(alike)


def _inner(x: Tensor) -> Tensor:
    """Without the outermost pixels, which have no full window."""
    return x[..., 1:-1, 1:-1]


def _window(x: Tensor) -> Iterator[Tensor]:
    """The neighbours of the inner pixels, row by row, the pixels themselves in the middle."""
    height, width = x.shape[-2:]
    for dy in range(3):
        for dx in range(3):
            yield x[..., dy : height - 2 + dy, dx : width - 2 + dx]
