"""Photos as the stages look at them, and the meshes that are fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.render.hard import Visible
from intrinsic_cli.kit.light.colour import linear_to_srgb

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch

#: Spreads of what photos are changed by: turns (radians), sizes, exposures.
_TURN, _STRETCH, _EXPOSURE = 0.15, 0.07, 0.15
#: And light that differs from place to place, and how strong colours are.
_LIGHT, _STRENGTH = 0.2, 0.25


@dataclass(slots=True)
class Photos:
    """A batch as the stages look at it: ``photo`` [B,3,H,W] sRGB, ``mask`` [B,1,H,W]; ``maps``
    [B,5,H,W] of the parts, or the mask where there are none; ``zones`` [B,1+K,H,W] are finer, or
    the parts, or the object as a whole, behind the background."""

    photo: Tensor
    mask: Tensor
    maps: Tensor
    zones: Tensor

    @property
    def has_parts(self) -> bool:
        """Does anybody say where parts are?"""
        return self.maps.shape[1] > 1

    @staticmethod
    def of(batch: Batch) -> Photos:
        """From the rows of a dataset."""
        photo = linear_to_srgb(batch["photo"].clamp(0, 1))
        mask = batch["mask"]
        whole = torch.cat([1 - mask, mask], 1)
        zones = batch.get("zones", batch.get("parts", whole))
        return Photos(photo, mask, batch.get("parts", mask), zones)


@dataclass(slots=True)
class Fit:
    """Meshes in photos: ``offsets`` and ``vertices`` [B,642,3], ``camera`` [B,7], and ``seen`` by
    it; ``points`` [B,642,3] projected."""

    offsets: Tensor
    vertices: Tensor
    camera: Tensor
    points: Tensor
    seen: Visible


def shaken(photos: Photos) -> Photos:
    """The photos a little turned, stretched, lit and exposed otherwise."""
    layers = [photos.photo, photos.mask, photos.maps, photos.zones]
    sizes = [layer.shape[1] for layer in layers]
    affine = _random_affine(photos.photo)
    grid = F.affine_grid(affine, list(photos.photo.shape), align_corners=False)
    whole = torch.cat(layers, 1)
    moved = F.grid_sample(whole, grid, padding_mode="border", align_corners=False)
    photo, mask, maps, zones = torch.split(moved, sizes, 1)
    return Photos(_exposed(_lit(photo)), mask, maps, zones)


def _lit(photos: Tensor) -> Tensor:
    """Photos [B,3,H,W] with weaker or stronger colours, in light that grows and falls from place
    to place."""
    gray = photos.mean(1, keepdim=True)
    strength = torch.randn_like(gray[:, :, :1, :1])
    strength = (_STRENGTH * strength).exp()
    coloured = gray + strength * (photos - gray)
    light = _uneven_light(photos)
    return (coloured * light).clamp(0, 1)


def _uneven_light(photos: Tensor) -> Tensor:
    """Light about 1 [B,1,H,W], smooth over each of the photos."""
    count, _, height, width = photos.shape
    coarse = torch.randn(count, 1, 3, 3, device=photos.device)
    size = (height, width)
    smooth = F.interpolate(coarse, size, mode="bilinear", align_corners=True)
    return (_LIGHT * smooth).exp()


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
