"""The straight path of conditional optimal transport (Lipman et al. 2023, with sigma_min 0): noise
at 0, data at 1."""

from __future__ import annotations

from torch import Tensor


def interpolate(x0: Tensor, x1: Tensor, t: Tensor) -> Tensor:
    """The point of the path at time ``t``: ``(1 - t) x0 + t x1``. ``x0`` noise and ``x1`` data
    [B,...]; ``t`` [B]."""
    t = _spread(t, x1)
    return (1 - t) * x0 + t * x1


def velocity(x0: Tensor, x1: Tensor) -> Tensor:
    """The velocity of the path, the same at every time: ``x1 - x0``."""
    return x1 - x0


def estimate(xt: Tensor, v: Tensor, t: Tensor) -> Tensor:
    """The data that velocity ``v`` at ``xt`` points to: ``xt + (1 - t) v``. ``xt`` and ``v``
    [B,...]; ``t`` [B]."""
    return xt + (1 - _spread(t, xt)) * v


def _spread(t: Tensor, like: Tensor) -> Tensor:
    return t.view(-1, *[1] * (like.ndim - 1))
