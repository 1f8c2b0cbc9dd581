"""Does an object keep its colour when the light moves? Our own measure; no published table has
it."""

from __future__ import annotations

import torch
from torch import Tensor


def albedo_constancy(albedos: Tensor, mask: Tensor | None = None) -> Tensor:
    """Albedos ``[L,C,H,W]`` of one scene under L ≥ 2 lights, mask ``[1,H,W]`` (or broadcastable) →
    one number.

    Per pair ``1 − ⟨A_i,A_j⟩²/(⟨A_i,A_i⟩⟨A_j,A_j⟩)`` over masked pixels and channels: the relative
    squared error after the best scale, symmetric, 0 for equal colours. Mean over pairs. A black
    albedo has nothing in common with any other (1)."""
    a = albedos.double()
    if mask is not None:
        a = a * mask.to(a)
    a = a.flatten(1)
    gram = a @ a.T
    energy = gram.diagonal()
    both = energy[:, None] * energy[None]
    alike = gram.square() / both.clamp(min=1e-300)
    alike = torch.where(both > 0, alike, torch.zeros_like(gram))
    first, second = torch.triu_indices(len(a), len(a), 1, device=a.device)
    different = 1 - alike[first, second]
    return different.clamp(min=0).mean()
