"""Small layers that add up to the photo → the photo's size, with the photo's edges.

The counterpart in linear light of :mod:`~intrinsic_cli.kit.light.upsample`: how much of the photo's
fine detail belongs to a layer is the slope of the layer on the photo in a window around each pixel
of the small pictures, between 0 (all of it is the transmission's) and 1, so that ``L = up(l) +
up(slope) · (P − up(p))``. On 50 mixtures of rendered photos at a quarter of their size, mean
squared error of the reflection ×1e-6: 26.0 instead of 34.3 for bilinear enlarging, 110 instead of
159 where the reflection is sharp, 58.8 instead of 71.4 for small layers that are a little soft. A
slope for each channel (26.0) is worth hardly more than one on luminance (26.3), and simpler. A veil
has no edges, and pays for those it is offered: mean error .027e-3 instead of .009e-3."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from intrinsic_cli.kit.light.resize import bands, resize
from intrinsic_cli.kit.light.upsample import box, enlarge

RIDGE = (
    0.003  # added to the photo's variance: contrast below about .05 says nothing about whose it is
)


def split_sum(photo: Tensor, parts: Mapping[str, Tensor], small: Tensor) -> dict[str, Tensor]:
    """Linear ``photo`` [B,3,H,W] and some of its summands [B,1 or 3,h,w], at any size → these at
    the photo's size and ``transmission``, the rest of the photo: none negative. ``small`` is the
    photo at about their size.

    Where the parts exceed the photo they are scaled down, each by the same factor.
    """
    full = {}
    for name, part in parts.items():
        full[name] = lift_summand(
            photo, part, small if part.shape[-2:] == small.shape[-2:] else None
        )
    rest = photo.clone()
    for rows in bands(photo.shape[-2], photo.shape[-1]):
        shown = photo[:, :, rows]
        total = torch.zeros_like(shown)
        for part in full.values():
            total += part[:, :, rows]
        gain = torch.where(total > shown, shown / total.clamp(min=1e-12), 1.0)
        for part in full.values():
            part[:, :, rows] *= gain
        rest[:, :, rows] = torch.sub(shown, total.mul_(gain)).clamp_(min=0.0)
    return {**full, "transmission": rest}


def lift_summand(photo: Tensor, part: Tensor, small: Tensor | None = None) -> Tensor:
    """Linear ``photo`` [B,3,H,W] and one of its summands [B,1 or 3,h,w] → [B,3,H,W] between 0 and
    the photo.

    ``small`` is the photo at the part's size, if the caller has it.
    """
    height, width = photo.shape[-2:]
    if part.shape[-2] >= height and part.shape[-1] >= width:
        return resize(part, (height, width)).expand_as(photo).clamp(min=0.0).minimum(photo)
    small = resize(photo, (part.shape[-2], part.shape[-1])) if small is None else small
    part = part.expand_as(small)
    maps = torch.cat([part, _slope(small, part), small], dim=1).contiguous(
        memory_format=torch.channels_last
    )
    lifted = torch.empty_like(photo, memory_format=torch.channels_last)
    for rows in bands(height, width):
        large, shown = enlarge(maps, rows, (height, width)), photo[:, :, rows]
        made = torch.addcmul(large[:, :3], large[:, 3:6], shown - large[:, 6:])
        lifted[:, :, rows] = made.clamp_(min=0.0).minimum(shown)
    return lifted


def _slope(guide: Tensor, part: Tensor) -> Tensor:
    """Of the part on the photo, both [B,3,h,w], channel by channel."""
    mean_guide, mean_part = box(guide), box(part)
    variance = box(guide * guide) - mean_guide**2
    covariance = box(guide * part) - mean_guide * mean_part
    return box((covariance / (variance.clamp(min=0.0) + RIDGE)).clamp(0.0, 1.0))
