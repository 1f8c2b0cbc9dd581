"""What one step of training is made of: photos, and mixtures of exemplars that are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from iid_latent.shared.camera import expose
from iid_latent.shared.log_images import half_size
from iid_latent.sils.layer_model import LayerModel
from intrinsic_cli.kit.light.exposure import exposure

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch


@dataclass(frozen=True, slots=True)
class Mixtures:
    """``photo`` [B,3,H,W] made of unrelated exemplars ``layers``, all linear; ``level`` [B,1,1,1]
    its exposure; ``mask`` [B,1,H/2,W/2] what of it can be learned."""

    photo: Tensor
    layers: list[Tensor]
    level: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Photos:
    """``image`` [B,3,H,W], linear; ``level`` [B,1,1,1] its exposure; ``mask`` [B,1,H/2,W/2] what
    of it has truth."""

    image: Tensor
    level: Tensor
    mask: Tensor


def photos_of(batch: Batch, share: float) -> Photos:
    """The first ``share`` of the photos of ``batch``, at least one."""
    few = max(1, round(len(batch["photo"]) * share))
    image = batch["photo"][:few]
    mask = batch["photo_mask"][:few]
    return Photos(image, exposure(image), known(mask))


def synthesise(model: LayerModel, batch: Batch, pairings: int) -> Mixtures:
    """Mixtures of the exemplars of ``batch``, each in ``pairings`` of them."""
    layers, masks = [], []
    for k, name in enumerate(model.layers):
        layers.append(_paired(batch[name], k, pairings))
        masks.append(_paired(batch[f"{name}_mask"], k, pairings))
    mask = torch.stack(masks).prod(0)
    light = model.composition.compose(layers)
    photo, mask, gain = expose(light, mask)
    layers = [layer * gain for layer in layers]
    return Mixtures(photo, layers, exposure(photo), known(mask))


def known(mask: Tensor) -> Tensor:
    """A mask at half the size: 1 where all of a pixel has truth."""
    return (half_size(mask) > 0.99).to(mask.dtype)


def _paired(exemplars: Tensor, layer: int, pairings: int) -> Tensor:
    """Exemplars of a layer, once for every pairing; each layer is turned on by another number of
    places."""
    turns = range(min(pairings, len(exemplars)))
    return torch.cat([exemplars.roll(layer * turn, 0) for turn in turns])
