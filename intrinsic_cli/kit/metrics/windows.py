"""Local errors: every window of the image has a scale of its own. Six published variants, none
comparable.

Tensors as in :mod:`~intrinsic_cli.kit.metrics.pixels`; one number per image ``[B]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from types import EllipsisType

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from intrinsic_cli.kit.metrics.pixels import BLACK, aligned, si_mse


def lmse(
    prediction: Tensor, truth: Tensor, mask: Tensor | None = None, window: int = 20, step: int = 10
) -> Tensor:
    """Local MSE of Grosse et al. 2009: each full window has a scale of its own, shared by its
    channels.

    ``Σ_windows Σ m(αp−g)² / Σ_windows Σ m·g²``. On gray layers this is the ``grosse`` score, on
    stacked RGB the ``arap`` one. Images smaller than a window are one window."""
    error, energy = _errors(*aligned(prediction, truth, mask), window, step)
    return error.sum((1, 2, 3)) / energy.sum((1, 2, 3)).clamp(min=1e-12)


def lmse_barron(
    prediction: Tensor, truth: Tensor, mask: Tensor | None = None, window: int = 20
) -> Tensor:
    """Local MSE of Barron & Malik's evaluation: per channel, then the mean over channels.

    Four tilings without overlap start at pixels {0, 9}×{0, 9} (a 1-based ``10:end``) and are zero
    padded; sums as in :func:`lmse`."""
    batch, channels = truth.shape[:2]
    planes = [x.flatten(0, 1)[:, None] for x in aligned(prediction, truth, mask)]
    error = torch.zeros(batch * channels, dtype=torch.float64, device=truth.device)
    energy = torch.zeros_like(error)
    for top, left in product((0, 9), (0, 9)):
        p, g, m = (_tiles(x, top, left, window) for x in planes)
        errors, energies = _errors(p, g, m, window, window)
        error += errors.sum((1, 2, 3))
        energy += energies.sum((1, 2, 3))
    share = error / energy.clamp(min=1e-12)
    return share.view(batch, channels).mean(1)


def lmse_sintel(
    prediction: Tensor, truth: Tensor, window: int | None = None, step: int | None = None
) -> Tensor:
    """Local MSE of the MPI Sintel protocol: plain mean over windows of the clipped ``si_mse``, no
    mask.

    Windows are a tenth of the longer side, overlap by half, start before ``H − step`` and are cut
    at the border."""
    height, width = truth.shape[-2:]
    window = window or _round_up_half(0.1 * max(height, width))
    step = step or _round_up_half(window / 2)
    tops = range(0, height - step, step)
    lefts = range(0, width - step, step)
    cuts = _cuts(tops, lefts, window)
    errors = [si_mse(prediction[cut], truth[cut], clip=True) for cut in cuts]
    return torch.stack(errors).mean(0)


def lmse_arap_1k(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Local MSE of the ``arap-1k`` protocol: mean over windows of the masked ``si_mse``.

    Windows as in :func:`lmse_sintel`, but the last starts at or before ``H − step``. Windows
    without a masked pixel have no error and are left out of the mean (our reading: the definition
    is silent)."""
    height, width = truth.shape[-2:]
    known = torch.ones_like(truth[:, :1]) if mask is None else mask
    window = _round_up_half(0.1 * max(height, width))
    step = max(1, _round_up_half(window / 2))
    tops = range(0, height - step + 1, step)
    lefts = range(0, width - step + 1, step)
    errors = []
    seen = []
    for cut in _cuts(tops, lefts, window):
        inside = known[cut]
        errors.append(si_mse(prediction[cut], truth[cut], inside))
        seen.append(inside.flatten(1).any(1))
    return _mean_where(torch.stack(seen), torch.stack(errors))


def window_mse(prediction: Tensor, truth: Tensor, window: int = 20, step: int = 10) -> Tensor:
    """What FlowIID prints as LMSE on MIT (``mit-f``): the plain mean of full windows' MSE, no
    scale, no mask."""
    p, g, _ = aligned(prediction, truth, None)
    height, width = g.shape[-2:]
    pixels = min(window, height) * min(window, width)
    error = (p - g).square()
    sums = _box_sums(error, window, step)
    means = sums / pixels
    return means.mean((1, 2, 3))


def _errors(p: Tensor, g: Tensor, m: Tensor, *windows: int) -> tuple[Tensor, Tensor]:
    """Every window's error at its best scale, and the energy of its truth.

    With the best α the window's error is ``Σg² − (Σpg)²/Σp²``, so three box sums are all it
    takes."""
    pp = _window_products(p, p, m, *windows)
    pg = _window_products(p, g, m, *windows)
    gg = _window_products(g, g, m, *windows)
    lit = pp > BLACK
    divisor = torch.where(lit, pp, 1.0)
    error = gg - pg.square() / divisor
    error = torch.where(lit, error, gg)
    return error.clamp(min=0), gg


def _mean_where(seen: Tensor, errors: Tensor) -> Tensor:
    """Mean over windows [N,B] → [B], without those where nothing was seen."""
    return (errors * seen).sum(0) / seen.sum(0).clamp(min=1)


def _window_products(a: Tensor, b: Tensor, m: Tensor, window: int, step: int) -> Tensor:
    """⟨a,b⟩ over the masked pixels and all channels of every window [B,1,rows,columns]."""
    channels = m * (a * b)
    return _box_sums(channels.sum(1, keepdim=True), window, step)


def _tiles(plane: Tensor, top: int, left: int, window: int) -> Tensor:
    """The plane from (top, left) on, zero padded to whole windows."""
    cut = plane[..., top:, left:]
    return pad(cut, (0, -cut.shape[-1] % window, 0, -cut.shape[-2] % window))


def _cuts(tops: range, lefts: range, window: int) -> Iterator[tuple[EllipsisType, slice, slice]]:
    for y, x in product(tops or (0,), lefts or (0,)):
        yield ..., slice(y, y + window), slice(x, x + window)


def _box_sums(x: Tensor, window: int, step: int) -> Tensor:
    """Sums over the windows that fit."""
    size = (min(window, x.shape[-2]), min(window, x.shape[-1]))
    return avg_pool2d(x, size, step, divisor_override=1)


def _round_up_half(x: float) -> int:
    return int(x + 0.5)
