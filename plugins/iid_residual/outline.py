"""Where a head is in a photo, at the photo's own size and along its edges."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import luminance
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.upsample import size_of, window_mean

#: Radius of the window, pixels of the outline.
_RADIUS = 2
#: Added to the variance of the photo's brightness: contrast below it is no edge.
_RIDGE = 4e-4
#: What the network is this unsure of is background, and what it is as sure of is head.
_UNSURE = 0.2
#: Half axes of an upright head in its square's sides, where a network does not say where it is.
_WIDE, _HIGH = 0.42, 0.56
_SOFT = 0.2  # the part of a half axis over which that head fades out


def along_edges(photos: Tensor, outline: Tensor) -> Tensor:
    """An outline [B,1,h,w], 0..1, for photos [B,3,H,W]: [B,1,H,W], with their edges.

    In a window about each pixel the outline is taken for a straight line of the photo's brightness
    (He et al., "Guided Image Filtering")."""
    guide = _brightness(resize(photos, size_of(outline)))
    mean_guide = _mean(guide)
    mean = _mean(outline)
    variance = _mean(guide * guide) - mean_guide**2
    covariance = _mean(guide * outline) - mean_guide * mean
    slope = covariance / (variance.clamp(min=0) + _RIDGE)
    offset = mean - slope * mean_guide
    maps = _mean(torch.cat([slope, offset], 1))
    slope, offset = resize(maps, size_of(photos)).chunk(2, 1)
    found = _brightness(photos).mul_(slope).add_(offset)
    sure = found.sub_(_UNSURE).div_(1 - 2 * _UNSURE)
    return sure.clamp_(0, 1)


def middle_head(outline: Tensor) -> Tensor:
    """Of each outline [B,1,h,w] only what hangs together with its middle: other people and things
    that look like them are left out. Where nothing is in the middle, it stays as it is."""
    kept = []
    for one in outline[:, 0]:
        inside = (one > _UNSURE).cpu().numpy().astype(np.uint8)
        labels = cv2.connectedComponents(inside)[1]
        height, width = labels.shape
        mine = labels[height // 2, width // 2]
        head = torch.from_numpy(labels == mine).to(one.device)
        kept.append(one * head if mine else one)
    return torch.stack(kept)[:, None]


def upright_head(photos: Tensor, share: float) -> Tensor:
    """An ellipse in the middle of each photo [B,3,H,W], whose face's square is ``share`` of its
    shorter side: [B,1,H,W]."""
    height, width = size_of(photos)
    side = share * min(height, width)
    y = _from_middle(height) / (_HIGH * side)
    x = _from_middle(width) / (_WIDE * side)
    distance = torch.hypot(y[:, None], x[None])
    inside = (1 - distance) / _SOFT
    inside = inside.clamp(0, 1).to(photos)
    return inside.expand(len(photos), 1, height, width)


def _from_middle(length: int) -> Tensor:
    """Where the middles of pixels are, in pixels from the middle of all."""
    return torch.arange(length) + 0.5 - length / 2


def _mean(image: Tensor) -> Tensor:
    """Over the window around each pixel."""
    return window_mean(image, _RADIUS)


def _brightness(photos: Tensor) -> Tensor:
    """[B,3,H,W] linear → [B,1,H,W], about as eyes see it."""
    return luminance(photos, axis=1).clamp_(min=0).sqrt_()
