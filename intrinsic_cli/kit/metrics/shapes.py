"""Silhouettes, keypoints and surfaces."""

from __future__ import annotations

import torch
from torch import Tensor

#: Crops are padded by 5 % of the bounding box on every side; errors are relative to the unpadded
#: box.
PADDING = 0.05


def iou(prediction: Tensor, truth: Tensor, soft: bool = False) -> Tensor:
    """Intersection over union [B] of masks ``[B,1,H,W]`` in 0..1; 1 where both are empty.

    ``soft``: ``Σ(a·m)/Σ(a+m−a·m)`` without a threshold; else both are cut at 0.5.
    """
    a, m = prediction.double().flatten(1), truth.double().flatten(1)
    if not soft:
        a = (a > 0.5).double()
        m = (m > 0.5).double()
    both = a * m
    union = (a + m - both).sum(1)
    share = both.sum(1) / union.clamp(min=1e-12)
    return torch.where(union > 0, share, 1.0)


def keypoint_error(transferred: Tensor, truth: Tensor) -> Tensor:
    """Keypoints [B,K,2] in crop coordinates −1..1 → distance [B,K] as a share of the box's side.

    ``distance·(1 + 2·0.05)/2``: the crop is the box and 5 % more on every side."""
    distance: Tensor = torch.linalg.vector_norm(transferred.double() - truth.double(), dim=-1)
    return distance * (1 + 2 * PADDING) / 2


def pck(transferred: Tensor, truth: Tensor, visible: Tensor, threshold: float = 0.1) -> Tensor:
    """Share of correct keypoints: pairs' keypoints [B,K,2], ``visible`` [B,K] in both images → a
    scalar in 0..1.

    Per keypoint the share of pairs with an error below ``threshold``; then the mean over keypoints
    seen at all."""
    seen = visible.bool().sum(0)
    right = ((keypoint_error(transferred, truth) < threshold) & visible.bool()).sum(0)
    return (right.double() / seen.clamp(min=1))[seen > 0].mean()


def chamfer(first: Tensor, second: Tensor, block: int = 2048) -> Tensor:
    """Point sets [B,N,3] and [B,M,3] → [B]: mean nearest squared distance there plus the same back.
    Symmetric."""
    return _nearest(first, second, block).mean(1) + _nearest(second, first, block).mean(1)


def sample_surface(vertices: Tensor, faces: Tensor, count: int = 10_000, seed: int = 0) -> Tensor:
    """``count`` points [count,3] spread evenly over a triangle mesh (``vertices`` [V,3], ``faces``
    [F,3] int)."""
    corners = vertices.double()[faces.long()].cpu()
    sides = corners[:, 1:] - corners[:, :1]
    areas = _areas(sides)
    made = torch.Generator().manual_seed(seed)
    chosen = torch.multinomial(areas, count, replacement=True, generator=made)
    u = torch.rand(count, 2, generator=made, dtype=torch.float64)
    # A parallelogram is filled evenly; what lies beyond the triangle is folded back into it.
    beyond = u.sum(1) > 1
    u[beyond] = 1 - u[beyond]
    along = u[..., None] * sides[chosen]
    points = corners[chosen, 0] + along.sum(1)
    return points.to(vertices.device)


def _areas(sides: Tensor) -> Tensor:
    """Twice the area [F] of triangles, from two sides [F,2,3] of each."""
    doubled: Tensor = torch.linalg.cross(sides[:, 0], sides[:, 1]).norm(dim=1)
    return doubled


def _nearest(first: Tensor, second: Tensor, block: int) -> Tensor:
    """Squared distance [B,N] of every point of ``first`` to the nearest of ``second``, a block of
    points at a time."""
    a, b = first.double(), second.double()
    parts = [
        torch.cdist(part, b, compute_mode="donot_use_mm_for_euclid_dist")
        for part in torch.split(a, block, dim=1)
    ]
    return torch.cat([part.amin(2).square() for part in parts], dim=1)
