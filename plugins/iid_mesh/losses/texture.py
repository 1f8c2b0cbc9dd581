"""How well a texture that is copied from the photo fits it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

_SCALES = 3
#: How steep the border of the silhouette is to texture flow, per width of the picture.
_STEEPNESS = 50.0


def unlikeness(rendered: Tensor, photo: Tensor, mask: Tensor) -> Tensor:
    """Absolute differences of [B,3,H,W] where ``mask`` [B,1,H,W] holds, at several scales, and of
    their gradients: [B]. In place of UMR's perceptual distance, whose network is not at hand."""
    error = rendered - photo
    total = gradient_loss(error, mask, _SCALES)
    for _ in range(_SCALES):
        total = total + masked_mean(error.abs(), mask).sum(1)
        error = F.avg_pool2d(error * mask, 2)
        mask = F.avg_pool2d(mask, 2)
    return total / _SCALES


def barrier(mask: Tensor) -> Tensor:
    """0 inside of the silhouettes [B,1,H,W], 1 outside, .5 at their border: [B,1,H,W]."""
    width = mask.shape[-1]
    maps = []
    for inside in (mask[:, 0] > 0.5).cpu().numpy():
        beyond = _distance(~inside) - _distance(inside)
        maps.append(torch.from_numpy(beyond))
    beyond = torch.stack(maps).to(mask)
    return torch.sigmoid(_STEEPNESS / width * beyond)[:, None]


def off_object(flow: Tensor, barriers: Tensor) -> Tensor:
    """How much of the texture flow [B,2,h,w] leaves the silhouette, by :func:`barrier`: [B]."""
    grid = flow.movedim(1, -1)
    found = F.grid_sample(barriers, grid, padding_mode="border", align_corners=False)
    return found.mean((1, 2, 3))


def cycle(flow: Tensor, seen: Tensor) -> Tensor:
    """Squared distances between where surface points are seen and where the texture flow says they
    come from: ``flow`` [B,2,H,W] as seen in the picture, ``seen`` [B,H,W] 1 where it counts → [B].
    """
    return masked_mean((flow - places(flow)).square(), seen[:, None]).sum(1)


def places(picture: Tensor) -> Tensor:
    """Where the pixels of pictures [B,C,H,W] lie, [1,2,H,W]: x right and y down, -1..1."""
    height, width = picture.shape[-2:]
    rows = torch.arange(height, device=picture.device)
    columns = torch.arange(width, device=picture.device)
    y = (2 * rows + 1) / height - 1
    x = (2 * columns + 1) / width - 1
    down, right = torch.meshgrid(y, x, indexing="ij")
    both = torch.stack([right, down])
    return both[None].to(picture)


def _distance(inside: np.ndarray) -> np.ndarray:
    """How many pixels it is to the next one that is False [H,W]; few everywhere where none is."""
    if inside.all():
        return np.ones(inside.shape, np.float32)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(distance, np.float32)
