"""Meshes to render, and the renderer written down naively: every face at every pixel."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: The square of half-width .5, of two faces, nearer (z 4) than most.
SQUARE = torch.tensor([[-0.5, -0.5, 4], [0.5, -0.5, 4], [0.5, 0.5, 4], [-0.5, 0.5, 4]])
SQUARE_FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
#: An octahedron, a little askew.
OCTAHEDRON = torch.tensor(
    [[0.7, 0.1, 5.0], [-0.6, 0.0, 5.1], [0.1, 0.8, 4.9], [0.0, -0.5, 5.0], [0.2, 0.1, 5.6],
     [-0.1, 0.2, 4.3]]
)  # fmt: skip
OCTAHEDRON_FACES = torch.tensor(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
)


def pixels(size: int, like: Tensor) -> Tensor:
    """The middles of pixels [S·S,2], x then y, row after row."""
    middles = (2 * torch.arange(size) + 1 - size).to(like) / size
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], 1)


def cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def dense_squares(corners: Tensor, at: Tensor) -> Tensor:
    """Signed squared distances of triangles [F,3,2] at places [N,2] → [F,N]."""
    squares, sides = [], []
    for k in range(3):
        start, end = corners[:, None, k], corners[:, None, (k + 1) % 3]
        edge, away = end - start, at - start
        along = (away * edge).sum(-1) / edge.square().sum(-1)
        away_from = away - along.clamp(0, 1)[..., None] * edge
        squares.append(away_from.square().sum(-1))
        sides.append(cross(edge, away))
    side = torch.stack(sides)
    inside = (side >= 0).all(0) | (side <= 0).all(0)
    square = torch.stack(squares).amin(0)
    return torch.where(inside, square, -square)


def dense_silhouette(points: Tensor, faces: Tensor, size: int, sigma: float) -> Tensor:
    """Points [V,3] → alpha [S,S]."""
    at = pixels(size, points)
    x = dense_squares(points[faces][..., :2], at) / sigma
    return -torch.expm1(-F.softplus(x, threshold=100).sum(0)).view(size, size)


def dense_colours(
    points: Tensor, faces: Tensor, attributes: Tensor, size: int, sigma: float, gamma: float
) -> Tensor:
    """Points [V,3] with attributes [V,C] → values [C,S,S], where faces come near."""
    at = pixels(size, points)
    corners = points[faces]
    squares = dense_squares(corners[..., :2], at)
    flat = corners[:, None, :, :2] - at[:, None]
    parts = [cross(flat[:, :, (k + 1) % 3], flat[:, :, (k + 2) % 3]) for k in range(3)]
    share = torch.stack(parts, -1) / torch.stack(parts, -1).sum(-1, keepdim=True)
    share = share.clamp(1e-5, 1 - 1e-5)
    share = share / share.sum(-1, keepdim=True)
    z = (share * corners[:, None, :, 2]).sum(-1)
    nearness = (100 - 2.732 - z) / 99
    reach = squares > -sigma * math.log(1e10 - 1)
    most = torch.where(reach, nearness, -math.inf).amax(0).detach()
    weight = torch.sigmoid(squares / sigma) * torch.exp((nearness - most) / gamma)
    weight = torch.where(reach, weight, 0)
    value = (share[..., None] * attributes[faces][:, None]).sum(2)
    total = (weight[..., None] * value).sum(0) / weight.sum(0).clamp_min(1e-12)[:, None]
    return total.T.reshape(-1, size, size)
