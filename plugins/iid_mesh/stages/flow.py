"""Stage flow: where vertices have their colours from. Shapes and cameras stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.data.landmarks import PARTS
from iid_mesh.data.zones import ZONES
from iid_mesh.growth import part_counts
from iid_mesh.losses import zones
from iid_mesh.networks.lite import Lite
from iid_mesh.networks.matching import Likeness
from iid_mesh.networks.mesh_net import Prediction
from iid_mesh.render.hard import seen_vertices
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import Fit, FittingStage, Photos
from iid_mesh.template import icosphere
from intrinsic_cli.api import Runtime, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Vertices that are looked at in a step: a third of them.
_VERTICES = 214
#: Counts of a zone that every vertex has from the start.
_UNSEEN = 1e-3
#: How much a vertex that is turned away counts, beside one that is seen.
_HIDDEN = 0.1
#: Spreads of what photos are changed by: turns (radians), sizes, exposures.
_TURN, _STRETCH, _EXPOSURE = 0.15, 0.07, 0.15


class ZoneTable(nn.Module):
    """``counts`` [642,K] of the zones that photos showed at vertices."""

    counts: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        vertices = len(icosphere().vertices)
        self.register_buffer("counts", torch.full((vertices, count), _UNSEEN))

    def count(self, found: Tensor) -> None:
        """Take in the counts [642,K] of some photos; mirrored vertices have equal zones."""
        self.counts += found + found[icosphere().mirror.to(found.device)]

    def shares(self) -> Tensor:
        """The probabilities of zones at vertices [642,K]. Small zones have a vertex of their own
        before large ones have a second: counts are weighed against each other by the roots of what
        each zone has in all."""
        weighed = self.counts / self.counts.sum(0).sqrt()
        sharp = weighed.square()
        return sharp / sharp.sum(1, keepdim=True)


class FlowStage(FittingStage):
    """Vertices look for pixels that show their zone, for all of it together, and near to where the
    mesh shows them. The paper's network, which matches nothing, passes through."""

    def __init__(self, config: MeshConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source, runtime, "s2")
        self.adopt(runtime, "s1", "template", "s2")
        self.table = ZoneTable(zones_of(source))
        self.nets = {**self.nets, "zones": self.table}
        self.mesh.requires_grad_(False)
        body = self.mesh.body
        self._matches = isinstance(body, Lite)
        self.steps = config.flow_steps if self._matches else 1
        if isinstance(body, Lite):
            body.matching.requires_grad_(True)
        self._place()
        if not self._matches:
            self.optimizers = {}

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        if not self._matches:
            return {"loss": torch.zeros((), device=self._device)}
        photos = shaken(Photos.of(batch))
        answer, fit = self.answered(photos)
        with torch.no_grad():
            self.table.count(part_counts(fit.seen, photos.zones))
        every = torch.randperm(fit.points.shape[1], device=self._device)
        terms = self._terms(answer, fit, photos, every[:_VERTICES])
        minimise(self.total(terms), "mesh")
        return {name: term.detach() for name, term in terms.items()}

    def _terms(
        self, answer: Prediction, fit: Fit, photos: Photos, some: Tensor
    ) -> dict[str, Tensor]:
        """What ``some`` of the vertices, by number, choose."""
        likeness = answer.origin
        assert isinstance(likeness, Likeness)
        chances = likeness.chances(some)
        table = self.table.shares()[some]
        size = likeness.values.shape[-1]
        maps = F.adaptive_avg_pool2d(photos.zones, size)[:, 1:].flatten(2)
        shown = seen_vertices(fit.seen, self._faces)[:, some].float()
        seen = shown.clamp_min(_HIDDEN)
        flat = fit.points[:, some, :2]
        agreed = shown * _agreement(photos.zones, flat, table)
        return {
            "coverage": zones.coverage(chances, table, seen, maps).mean(),
            "zone": zones.consistency(chances, table, seen, maps).mean(),
            "strayed": zones.strayed(chances, likeness.pixels(), flat, agreed).mean(),
        }

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        losses = super().validate(batch)
        if not self._matches:
            return losses
        photos = Photos.of(batch)
        answer, fit = self.answered(photos)
        every = torch.arange(fit.points.shape[1], device=self._device)
        terms = self._terms(answer, fit, photos, every)
        return {**losses, **terms, "loss": self.total(terms)}


def zones_of(source: Source) -> int:
    """How many zones a dataset tells apart: its own, or parts, or nothing but the object."""
    if "zones" in source.offers:
        return len(ZONES)
    return len(PARTS) if "parts" in source.offers else 1


def shaken(photos: Photos) -> Photos:
    """The photos a little turned, stretched and exposed otherwise."""
    layers = [photos.photo, photos.mask, photos.maps, photos.zones]
    sizes = [layer.shape[1] for layer in layers]
    affine = _random_affine(photos.photo)
    grid = F.affine_grid(affine, list(photos.photo.shape), align_corners=False)
    whole = torch.cat(layers, 1)
    moved = F.grid_sample(whole, grid, padding_mode="border", align_corners=False)
    photo, mask, maps, zones = torch.split(moved, sizes, 1)
    return Photos(_exposed(photo), mask, maps, zones)


def _exposed(photos: Tensor) -> Tensor:
    """Photos [B,3,H,W] of other exposures, tints and contrasts."""
    one = photos[:, :, :1, :1]
    gains = torch.randn_like(one) * _EXPOSURE
    bends = torch.randn_like(one[:, :1]) * _EXPOSURE
    bent = photos.clamp(1e-4, 1) ** bends.exp()
    return (bent * gains.exp()).clamp(0, 1)


def _random_affine(photos: Tensor) -> Tensor:
    """Small turns and stretches of photos [B,...]: [B,2,3]."""
    angle, wide, high = torch.randn(3, len(photos), device=photos.device)
    angle = _TURN * angle
    wide = (_STRETCH * wide).exp()
    high = (_STRETCH * high).exp()
    still = torch.zeros_like(angle)
    cos = angle.cos()
    sin = angle.sin()
    across = torch.stack([cos * wide, -sin * wide, still], 1)
    down = torch.stack([sin * high, cos * high, still], 1)
    return torch.stack([across, down], 1)


def _agreement(maps: Tensor, flat: Tensor, table: Tensor) -> Tensor:
    """How likely photos show the zones of vertices where the mesh shows these [B,V]: ``maps``
    [B,1+K,H,W], projected ``flat`` [B,V,2] and ``table`` [V,K]."""
    found = F.grid_sample(maps[:, 1:], flat[:, None], align_corners=False)
    return torch.einsum("bkv,vk->bv", found[:, :, 0], table)
