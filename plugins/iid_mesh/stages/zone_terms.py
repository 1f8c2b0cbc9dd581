"""What zones teach: where vertices lie, and where they have their colours from."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.data.landmarks import PARTS
from iid_mesh.data.zones import ZONES
from iid_mesh.losses import parts, zones
from iid_mesh.networks.matching import Likeness
from iid_mesh.render.hard import seen_vertices
from iid_mesh.stages.photos import Fit, Photos
from iid_mesh.template import icosphere

#: How much a vertex that is turned away counts, beside one that is seen.
_HIDDEN = 0.1
#: Pixels of each zone that vertices are drawn to.
_POINTS = 16


def vertex_term(fit: Fit, photos: Photos, table: Tensor) -> Tensor:
    """How far vertices are from the zones they belong to by ``table`` [642,K]; all zones together
    count as much as four parts do."""
    shown, present = parts.sampled(photos.zones, _POINTS)
    labels = table.argmax(1)
    faces = icosphere().faces.to(labels.device)
    weights = seen_vertices(fit.seen, faces).float()
    flat = fit.points[..., :2]
    distance = parts.vertex_distance(flat, weights, labels, shown, present)
    share = len(PARTS) / len(ZONES)
    return share * distance.mean()


def flow_terms(
    likeness: Likeness, fit: Fit, photos: Photos, table: Tensor, some: Tensor
) -> dict[str, Tensor]:
    """What ``some`` of the vertices, by number, choose; ``table`` [642,K] says which zones they
    belong to."""
    chances = likeness.chances(some)
    table = table[some]
    size = likeness.values.shape[-1]
    maps = F.adaptive_avg_pool2d(photos.zones, size)[:, 1:].flatten(2)
    faces = icosphere().faces.to(table.device)
    shown = seen_vertices(fit.seen, faces)[:, some].float()
    seen = shown.clamp_min(_HIDDEN)
    flat = fit.points[:, some, :2].detach()
    agreed = shown * _agreement(photos.zones, flat, table)
    return {
        "coverage": zones.coverage(chances, table, seen, maps).mean(),
        "zone": zones.consistency(chances, table, seen, maps).mean(),
        "strayed": zones.strayed(chances, likeness.pixels(), flat, agreed).mean(),
    }


def _agreement(maps: Tensor, flat: Tensor, table: Tensor) -> Tensor:
    """How likely photos show the zones of vertices where the mesh shows these [B,V]: ``maps``
    [B,1+K,H,W], projected ``flat`` [B,V,2] and ``table`` [V,K]."""
    found = F.grid_sample(maps[:, 1:], flat[:, None], align_corners=False)
    return torch.einsum("bkv,vk->bv", found[:, :, 0], table)
