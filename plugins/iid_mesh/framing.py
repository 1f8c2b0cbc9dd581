"""Squares of pictures, what they hold, and cameras in which an object fills them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.render.camera import rotate


@dataclass(frozen=True, slots=True)
class Box:
    """The square around each silhouette: ``centre`` [B,2] and ``half`` of its side [B]."""

    centre: Tensor
    half: Tensor


def boxes(mask: Tensor) -> Box:
    """Around silhouettes [B,1,H,W]; the whole picture where there is none."""
    inside = mask[:, 0] > 0.5
    columns, rows = inside.any(1), inside.any(2)
    left, right = _span(columns)
    top, bottom = _span(rows)
    middle = torch.stack([left + right, top + bottom], 1) / 2
    side = torch.maximum(right - left, bottom - top)
    half = side / 2
    return Box(middle.to(mask), half.to(mask))


def framed(points: Tensor, turns: Tensor, box: Box) -> Tensor:
    """The cameras [B,7] with these turns [B,4] in which points [B,V,3] fill the boxes."""
    flat = rotate(points, turns)[..., :2]
    low, high = flat.amin(1), flat.amax(1)
    middle = (low + high) / 2
    longer = (high - low).amax(1, keepdim=True)
    side = 2 * box.half[:, None]
    scale = side / longer.clamp_min(1e-6)
    shift = box.centre - middle * scale
    return torch.cat([scale, shift, turns], 1)


def cut(maps: Tensor, box: Box, size: int) -> Tensor:
    """What boxes hold of maps [B,C,H,W]: [B,C,size,size]."""
    unit = torch.eye(2).to(maps)
    spread = box.half[:, None, None] * unit
    affine = torch.cat([spread, box.centre[..., None]], 2)
    shape = [len(maps), 1, size, size]
    grid = F.affine_grid(affine, shape, align_corners=False)
    return F.grid_sample(maps, grid, align_corners=False)


def _span(filled: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last filled place of rows [B,N], as their outer borders in -1..1."""
    count = filled.shape[1]
    at = torch.arange(count, device=filled.device)
    everywhere = ~filled.any(1, keepdim=True)
    filled = filled | everywhere
    first = torch.where(filled, at, count).amin(1)
    last = torch.where(filled, at, -1).amax(1)
    low = 2 * first / count - 1
    high = 2 * (last + 1) / count - 1
    return low, high
