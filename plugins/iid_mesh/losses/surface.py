"""How smooth a surface is, and how far from the template: of vertices [B,V,3]."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.template import icosphere


def laplacian(points: Tensor) -> Tensor:
    """Squared distances of vertices from the middle of their neighbours, summed: [B]."""
    count, vertices, _ = points.shape
    # One product for all shapes: a batched one takes eight times as long.
    columns = points.transpose(0, 1).reshape(vertices, -1)
    bent = _smoothing().to(points) @ columns
    return bent.square().view(vertices, count, -1).sum((0, 2))


def creases(points: Tensor) -> Tensor:
    """(1 + cos)² of the angles between neighbouring faces, -1 where they lie flat, summed over
    edges: [B]."""
    corners = points[:, icosphere().dihedrals.to(points.device)]
    start, end, one, other = corners.unbind(2)
    along = F.normalize(end - start, dim=-1)
    first = _upright(one - start, along)
    second = _upright(other - start, along)
    cosine = (first * second).sum(-1)
    return (1 + cosine).square().sum(1)


def deformation(offsets: Tensor) -> Tensor:
    """The mean length of offsets [B,V,3] from the template: [B]."""
    return offsets.square().sum(-1).add(1e-12).sqrt().mean(1)


def flatness(points: Tensor) -> Tensor:
    """The mean distance from the plane of symmetry: [B]. UMR begins with it, so that the template
    grows along the plane."""
    return points[..., 1].abs().mean(1)


def _upright(vectors: Tensor, along: Tensor) -> Tensor:
    """The part of vectors that is perpendicular to an edge, of length 1."""
    straight = (vectors * along).sum(-1, keepdim=True)
    return F.normalize(vectors - straight * along, dim=-1)


@cache
def _smoothing() -> Tensor:
    """[V,V]: each vertex less the mean of its neighbours."""
    template = icosphere()
    count = len(template.vertices)
    one, other = template.edges.T
    neighbours = torch.zeros(count, count)
    neighbours[one, other] = 1
    neighbours[other, one] = 1
    return torch.eye(count) - neighbours / template.degrees[:, None]
