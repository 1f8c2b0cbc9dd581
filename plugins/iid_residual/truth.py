"""What a network should have answered, in its own numbers and at the size it draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from iid_residual.domain import Domain
from iid_residual.harmonics import from_house, shade, unit, vectors_from_house
from iid_residual.networks.pipe import Prediction

#: A pixel of a smaller map counts where at least so much of it does.
_MOST = 0.99


@dataclass(slots=True)
class Truth:
    """All [B,C,h,w] or [B,27]. ``mask`` is where the photo is to be rebuilt, ``known`` where there
    is truth besides, ``lit`` [B,1] for which samples light is known; ``outline`` where the head
    is."""

    photo: Tensor
    albedo: Tensor
    shading: Tensor
    normals: Tensor
    light: Tensor
    mask: Tensor
    known: Tensor
    lit: Tensor
    outline: Tensor

    @property
    def harmonic(self) -> Tensor:
        """The shading of true normals under the true light."""
        return shade(self.normals, self.light)


def truth_of(batch: Mapping[str, Tensor], domain: Domain, size: tuple[int, int]) -> Truth:
    """Of a batch of the house. Samples whose ``label`` is 0 have no truth but their photo."""
    label = batch["label"] if "label" in batch else batch["mask"].new_ones(len(batch["mask"]), 1)
    mask = _solid(batch["mask"], size)
    normals = vectors_from_house(_small(batch["normals"], size))
    outline = batch["silhouette"] if "silhouette" in batch else batch["mask"]
    return Truth(
        photo=domain.drawn(_small(batch["photo"], size)),
        albedo=domain.reflected(_small(batch["albedo"], size)),
        shading=domain.drawn(_small(batch["shading"], size)),
        normals=unit(normals),
        light=domain.lit(from_house(batch["light"])),
        mask=mask,
        known=mask * label[:, :, None, None],
        lit=label,
        outline=_small(outline, size),
    )


def with_pseudo_labels(truth: Truth, teacher: Prediction) -> Truth:
    """What is not known is taken from what an earlier network says; so it is known then."""
    real = (1 - truth.lit)[:, :, None, None]

    def filled(known: Tensor, guess: Tensor) -> Tensor:
        return known + real * (guess - known)

    light = truth.light
    if teacher.light is not None:
        light = light + (1 - truth.lit) * (teacher.light - light)
    return Truth(
        photo=truth.photo,
        albedo=filled(truth.albedo, teacher.albedo),
        shading=filled(truth.shading, teacher.shading),
        normals=unit(filled(truth.normals, teacher.normals)),
        light=light,
        mask=truth.mask,
        known=truth.mask,
        lit=truth.lit if teacher.light is None else truth.lit * 0 + 1,
        outline=truth.outline,
    )


def _small(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Means over squares, so that nothing from beyond the mask gets inside."""
    return F.interpolate(x, size=size, mode="area")


def _solid(mask: Tensor, size: tuple[int, int]) -> Tensor:
    return (_small(mask, size) > _MOST).to(mask.dtype)
