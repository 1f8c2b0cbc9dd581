"""How far a layer is from the truth: batched, masked, computed in float64 on the tensors' own device.

Every function takes a prediction and a truth ``[B,C,H,W]`` (``C`` of the prediction may be 1: it is repeated) and,
where it says so, a mask ``[B,1,H,W]`` (bool or 0/1; None means everywhere), and returns one number per image
``[B]``. Linear light, nominal range 0..1. Which of them makes up which published protocol: ``kit.score``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

# Below this energy a window of the prediction counts as black and gets the scale 0 (Grosse et al.'s own constant).
_BLACK = 1e-5


def mse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error over masked pixels and channels, no rescaling."""
    p, g, m = _prepare(prediction, truth, mask)
    return _mean((p - g).square(), m)


def rmse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Square root of :func:`mse`."""
    return mse(prediction, truth, mask).sqrt()


def psnr(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """``20·log10(1/RMSE)`` in dB; infinite for a perfect prediction."""
    return -10 * mse(prediction, truth, mask).log10()


def si_mse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None, clip: bool = False) -> Tensor:
    """Mean squared error after the best single scale over all masked pixels and channels.

    ``clip`` cuts the scaled prediction at 1 before it is compared, as the MPI Sintel protocol does.
    """
    p, g, m = _prepare(prediction, truth, mask)
    scaled = p * _scale(p, g, m)
    return _mean(((scaled.clamp(max=1) if clip else scaled) - g).square(), m)


def si_rmse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Square root of :func:`si_mse`, per image."""
    return si_mse(prediction, truth, mask).sqrt()


def lmse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None, window: int = 20, step: int = 10) -> Tensor:
    """Local MSE of Grosse et al. 2009: each full window has a scale of its own, shared by its channels.

    ``Σ_windows Σ m(αp−g)² / Σ_windows Σ m·g²``. On gray layers this is the ``grosse`` score, on stacked RGB the
    ``arap`` one. With the best α the window's error is ``Σg² − (Σpg)²/Σp²``, so three box sums are all it takes.
    Images smaller than a window are one window.
    """
    p, g, m = _prepare(prediction, truth, mask)
    pp, pg, gg = (_box_sums((m * x).sum(1, keepdim=True), window, step) for x in (p * p, p * g, g * g))
    lit = pp > _BLACK
    error = torch.where(lit, gg - pg.square() / pp.where(lit, torch.ones_like(pp)), gg).clamp(min=0)
    return error.sum((1, 2, 3)) / gg.sum((1, 2, 3)).clamp(min=1e-12)


def lmse_sintel(prediction: Tensor, truth: Tensor, window: int | None = None, step: int | None = None) -> Tensor:
    """Local MSE of the MPI Sintel protocol: plain mean over windows of the clipped :func:`si_mse`, no mask.

    Windows are a tenth of the longer side, overlap by half and are cut at the border.
    """
    height, width = truth.shape[-2:]
    window = window or _round_up_half(0.1 * max(height, width))
    step = step or _round_up_half(window / 2)
    corners = [(y, x) for y in range(0, height - step, step) for x in range(0, width - step, step)]
    cuts = (((..., slice(y, y + window), slice(x, x + window))) for y, x in corners)
    return torch.stack([si_mse(prediction[cut], truth[cut], clip=True) for cut in cuts]).mean(0)


def ssim(prediction: Tensor, truth: Tensor, size: int = 7) -> Tensor:
    """Structural similarity with a uniform window and unbiased moments, where the window fits, mean over channels.

    What scikit-image computes by default for a data range of 1 (``arap-f``, ``mit-f``).
    """
    kernel = torch.full((size,), 1 / size, dtype=torch.float64, device=truth.device)
    return _ssim(*_prepare(prediction, truth, None)[:2], kernel, size * size / (size * size - 1))


def dssim_sintel(prediction: Tensor, truth: Tensor) -> Tensor:
    """``(1 − SSIM)/2`` of the MPI Sintel protocol: best global scale, then an 11×11 Gaussian window of σ 1.5.

    The protocol works in 0..255; SSIM with constants relative to the range is the same in 0..1.
    """
    p, g, m = _prepare(prediction, truth, None)
    taps = torch.arange(-5, 6, dtype=torch.float64, device=g.device)
    kernel = torch.exp(-taps.square() / (2 * 1.5**2))
    return (1 - _ssim(p * _scale(p, g, m), g, kernel / kernel.sum(), 1.0)) / 2


def _prepare(prediction: Tensor, truth: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """float64 prediction and mask of the truth's shape, and the truth."""
    g = truth.double()
    m = torch.ones_like(g) if mask is None else mask.to(g).expand_as(g)
    return prediction.double().expand_as(g), g, m


def _mean(error: Tensor, mask: Tensor) -> Tensor:
    return (error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


def _scale(p: Tensor, g: Tensor, m: Tensor) -> Tensor:
    """The α that brings p closest to g, ``[B,1,1,1]``; 0 for a black prediction."""
    pp, pg = ((m * x).sum((1, 2, 3), keepdim=True) for x in (p * p, p * g))
    return torch.where(pp > _BLACK, pg / pp.clamp(min=_BLACK), torch.zeros_like(pp))


def _box_sums(x: Tensor, window: int, step: int) -> Tensor:
    """Sums over the windows that fit."""
    size = (min(window, x.shape[-2]), min(window, x.shape[-1]))
    return avg_pool2d(x, size, step, divisor_override=1)


def _ssim(p: Tensor, g: Tensor, kernel: Tensor, bias: float) -> Tensor:
    """Mean SSIM for a data range of 1; ``bias`` turns biased second moments into those wanted."""
    mp, mg = _filter(p, kernel), _filter(g, kernel)
    vp, vg, cov = (
        (_filter(a * b, kernel) - ma * mb) * bias for a, b, ma, mb in ((p, p, mp, mp), (g, g, mg, mg), (p, g, mp, mg))
    )
    luminance = (2 * mp * mg + 0.01**2) / (mp.square() + mg.square() + 0.01**2)
    structure = (2 * cov + 0.03**2) / (vp + vg + 0.03**2)
    return (luminance * structure).mean((1, 2, 3))


def _filter(x: Tensor, kernel: Tensor) -> Tensor:
    """Separable filter of every channel, valid region only."""
    flat = x.reshape(-1, 1, *x.shape[-2:])
    flat = conv2d(conv2d(flat, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return flat.reshape(*x.shape[:2], *flat.shape[-2:])


def _round_up_half(x: float) -> int:
    return int(x + 0.5)
