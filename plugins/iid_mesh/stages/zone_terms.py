"""What zones teach: where vertices have their colours from, where they lie, and cameras."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.data.landmarks import PARTS
from iid_mesh.data.zones import LIMBS, ZONES
from iid_mesh.found_cameras import Found
from iid_mesh.growth import part_counts
from iid_mesh.losses import parts, zones
from iid_mesh.networks.matching import Likeness
from iid_mesh.render.hard import seen_vertices
from iid_mesh.stages.photos import Fit, Photos
from iid_mesh.template import icosphere
from iid_mesh.zone_search import ZoneSearch
from iid_mesh.zone_table import ZoneTable

#: How much a vertex that is turned away counts, beside one that is seen.
_HIDDEN = 0.1
#: Pixels of each zone that vertices are drawn to.
_POINTS = 16
#: Steps after which the search looks at the zones that were counted meanwhile.
_RENEWED = 100


class ZoneTeacher(nn.Module):
    """Zones are counted on the template as photos show them; from time to time, and first when some
    were counted, the search for cameras looks at them."""

    def __init__(self, anchors: Tensor) -> None:
        super().__init__()
        self.table = ZoneTable(len(ZONES))
        weights = [float(name not in LIMBS) for name in ZONES]
        self.search = ZoneSearch(anchors, torch.tensor(weights))

    @property
    def ready(self) -> bool:
        """Has the search got zones to look for?"""
        return self.search.ready

    def renew(self, shape: Tensor, number: int) -> None:
        """Before step ``number``: look at the template ``shape`` [642,3] again if it is time."""
        if number and number % _RENEWED == 0:
            self.search.look_at(shape, self.table.shares())

    @torch.no_grad()
    def count(self, fit: Fit, photos: Photos) -> None:
        """Take in what photos show where meshes lie."""
        size = fit.seen.mask.shape[-1]
        maps = F.adaptive_avg_pool2d(photos.zones, size)
        self.table.count(part_counts(fit.seen, maps))

    def found(self, photos: Photos) -> Found:
        """From where the photos were taken."""
        found: Found = self.search(photos.zones, photos.mask)
        return found

    def vertex_term(self, fit: Fit, photos: Photos) -> Tensor:
        """How far vertices are from the zones they belong to; all zones together count as much as
        four parts do."""
        shown, present = parts.sampled(photos.zones, _POINTS)
        labels = self.search.zones.argmax(1)
        weights = seen_vertices(fit.seen, icosphere().faces.to(labels.device)).float()
        flat = fit.points[..., :2]
        distance = parts.vertex_distance(flat, weights, labels, shown, present)
        return distance.mean() * (len(PARTS) / len(ZONES))


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
