"""From noise to data along a velocity field."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: ``(x [B,C,h,w], t [B] in 0..1) -> dx/dt [B,C,h,w]``.
VelocityField = Callable[[Tensor, Tensor], Tensor]


def euler(velocity: VelocityField, x: Tensor, steps: int) -> Tensor:
    """Integrate ``x`` from t = 0 to 1 in ``steps`` equal Euler steps taken at t = 0, 1/n, ...,
    (n-1)/n."""
    for k in range(steps):
        t = torch.full((len(x),), k / steps, device=x.device, dtype=torch.float32)
        x = x + velocity(x, t) / steps
    return x
