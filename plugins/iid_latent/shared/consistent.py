"""Layers that were drawn one by one, brought to multiply to the photo."""

from __future__ import annotations

from torch import Tensor

#: What no layer is darker than while it is compared: below, a logarithm means nothing.
FLOOR = 1e-4


def consistent(photo: Tensor, albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """Share what ``albedo · shading`` misses of ``photo`` equally between both, in the logarithm.

    ``photo`` and ``albedo`` [B,3,H,W], ``shading`` [B,1 or 3,H,W], linear → both, with shading at least
    :data:`FLOOR` and ``albedo · shading = photo`` to rounding. One channel of shading takes the mean of its share.
    """
    shading = shading.clamp(min=FLOOR)
    missing = (photo.clamp(min=FLOOR) / (albedo.clamp(min=FLOOR) * shading)).log()
    if shading.shape[1] == 1:
        missing = missing.mean(dim=1, keepdim=True)
    shading = (shading * (missing / 2).exp()).clamp(min=FLOOR)
    return photo / shading, shading
