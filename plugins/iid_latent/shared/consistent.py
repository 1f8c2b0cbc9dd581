"""Layers that were drawn one by one, brought to make the photo: to multiply to it, or to add up."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from intrinsic_cli.kit.light.recolour import recolour

#: What no layer is darker than.
FLOOR = 1e-4
#: Of the mean, added to both sides where they are compared: in the dark, photos are their codec's
#: noise.
_DARK = 3e-3


def consistent(photo: Tensor, albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """Share what ``albedo · shading`` misses of ``photo`` equally between both, in the logarithm.

    ``photo`` and ``albedo`` [B,3,H,W], ``shading`` [B,1 or 3,H,W], linear → both, with shading at
    least :data:`FLOOR` and ``albedo · shading = photo`` to rounding. One channel of shading takes
    the mean of its share."""
    brightness = photo.mean((1, 2, 3), keepdim=True)
    dark = _DARK * brightness + FLOOR**2
    product = albedo.clamp(min=0) * shading.clamp(min=0)
    missing = ((photo + dark) / (product + dark)).log()
    if shading.shape[1] == 1:
        missing = missing.mean(dim=1, keepdim=True)
    share = (missing / 2).exp()
    shading = (shading * share).clamp(min=FLOOR)
    return photo / shading, shading


def coloured(photo: Tensor, albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`consistent` layers, all [B,3,H,W], of which shading has the colours that the photo
    says light has."""
    _, shading = consistent(photo, albedo, shading)
    shading = recolour(shading, photo)
    return photo / shading, shading


def adding_up(photo: Tensor, layers: Sequence[Tensor]) -> list[Tensor]:
    """Share what the sum of ``layers`` misses of ``photo``, all [B,3,H,W] and linear, among them in
    proportion to what each has of it."""
    total = torch.stack(list(layers)).sum(0)
    gain = photo / total.clamp(min=FLOOR)
    return [layer * gain for layer in layers]
