"""What a light is estimated from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Clues:
    """``features`` [B,3·width,h,w]: shared, the normals' and the albedo's, in this order; the
    ``photo`` [B,3,H,W] as the network sees it; ``normals`` (unit vectors) and ``albedo`` as it
    draws them; ``outline``, a logit of where the head is, or None."""

    features: Tensor
    photo: Tensor
    normals: Tensor
    albedo: Tensor
    outline: Tensor | None
