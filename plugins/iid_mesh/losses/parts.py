"""Semantic consistency: parts of the mesh lie where the photo shows them. Part maps are [B,5,H,W]:
background, then the parts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.losses.texture import places

#: What background, head, neck, back and belly weigh in UMR.
WEIGHTS = (0.0, 5.0, 0.0, 0.0, 5.0)
#: The constant that stands for the background where centres are taken.
_NOWHERE = 0.1
_FAR = 1e3


def map_error(rendered: Tensor, maps: Tensor, weights: tuple[float, ...] = WEIGHTS) -> Tensor:
    """Squared differences of rendered part maps [B,5,H,W] from those of photos, weighted, and of
    the parts' centres: [B]."""
    weight = rendered.new_tensor(weights)
    squares = (rendered - maps).square().mean((2, 3))
    wide = (weight * squares).mean(1)
    apart = centres(rendered) - centres(maps)
    centred = apart.square().mean((1, 2))
    return (wide + centred) / 4


def centres(maps: Tensor) -> Tensor:
    """The middle of each part of maps [B,5,H,W], softly: [B,4,2] in -1..1."""
    background = torch.full_like(maps[:, :1], _NOWHERE)
    values = torch.cat([background, maps[:, 1:]], 1)
    shares = values.softmax(1)[:, 1:] + 1e-3
    x, y = places(maps)[0]
    across = (shares * x).sum((2, 3))
    down = (shares * y).sum((2, 3))
    middle = torch.stack([across, down], 2)
    total = shares.sum((2, 3))
    return middle / total[..., None]


def sampled(maps: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``count`` points of every part, drawn by its map: [B,4,count,2] in -1..1, and whether there
    is any of the part [B,4]."""
    shares = maps[:, 1:].flatten(2)
    present = shares.sum(2) > 1
    anywhere = torch.where(present[..., None], shares, 1)
    shares = anywhere.clamp_min(1e-8).flatten(0, 1)
    chosen = torch.multinomial(shares, count, replacement=True)
    at = places(maps)[0].flatten(1).T
    points = at[chosen]
    return points.view(*present.shape, count, 2), present


def vertex_distance(
    points: Tensor, weights: Tensor, labels: Tensor, seen: Tensor, present: Tensor
) -> Tensor:
    """Squared distances, both ways, between the vertices of each part and what the photo shows of
    it: projected ``points`` [B,V,2], how visible they are ``weights`` [B,V], their parts
    ``labels`` [V] (0..3), and ``seen`` [B,4,N,2], ``present`` [B,4] of :func:`sampled` → [B]."""
    total = points.new_zeros(len(points))
    for part in range(seen.shape[1]):
        own = (labels == part).nonzero().squeeze(1)
        if not len(own):
            continue
        square = _squares(points[:, own], seen[:, part])
        weight = weights[:, own]
        there = (square.amin(2) * weight).sum(1) / (weight.sum(1) + 1)
        hidden = _FAR * (weight < 0.5)
        back = (square + hidden[..., None]).amin(1)
        back = torch.where(back < _FAR / 2, back, 0).mean(1)
        total = total + present[:, part] * (there + back)
    return total


def map_loss(probabilities: Tensor, maps: Tensor) -> Tensor:
    """The cross-entropy of a network's part maps [B,5,h,w] with those it should see, made as small:
    [B]."""
    wanted = F.interpolate(maps, size=probabilities.shape[-2:], mode="area")
    return -(wanted * probabilities.clamp_min(1e-6).log()).sum(1).mean((1, 2))


def _squares(these: Tensor, those: Tensor) -> Tensor:
    """Squared distances of [B,M,2] from [B,N,2]: [B,M,N]."""
    return (these[:, :, None] - those[:, None]).square().sum(-1)
