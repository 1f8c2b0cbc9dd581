"""Layers that were drawn one by one, brought to multiply to the photo."""

from __future__ import annotations

from torch import Tensor

#: What no layer is darker than.
FLOOR = 1e-4
_DARK = 3e-3  # of the mean, added to both sides where they are compared: in the dark, photos are their codec's noise


def consistent(photo: Tensor, albedo: Tensor, shading: Tensor) -> tuple[Tensor, Tensor]:
    """Share what ``albedo · shading`` misses of ``photo`` equally between both, in the logarithm.

    ``photo`` and ``albedo`` [B,3,H,W], ``shading`` [B,1 or 3,H,W], linear → both, with shading at
    least :data:`FLOOR` and ``albedo · shading = photo`` to rounding. One channel of shading takes
    the mean of its share."""
    dark = _DARK * photo.mean((1, 2, 3), keepdim=True) + FLOOR**2
    missing = ((photo + dark) / (albedo.clamp(min=0) * shading.clamp(min=0) + dark)).log()
    if shading.shape[1] == 1:
        missing = missing.mean(dim=1, keepdim=True)
    shading = (shading * (missing / 2).exp()).clamp(min=FLOOR)
    return photo / shading, shading
