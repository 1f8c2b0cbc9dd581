"""Structural similarity (Wang et al. 2004) in the field's variants; DSSIM = (1 − SSIM)/2.

Tensors as in :mod:`~intrinsic_cli.kit.metrics.pixels`; one number per image ``[B]``.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from intrinsic_cli.kit.metrics.pixels import aligned, best_scale

# Wang et al.'s constants for a data range of 1.
_C1, _C2 = 0.01**2, 0.03**2


def ssim(prediction: Tensor, truth: Tensor, size: int = 7, mask: Tensor | None = None) -> Tensor:
    """Structural similarity with a uniform window and unbiased moments, where the window fits, mean
    over channels.

    What scikit-image computes by default for a data range of 1 (``arap-f``, ``mit-f``). With a
    ``mask`` what lies outside it is zeroed in both images, as ``arap-o`` does: equal black pixels
    then count as perfect."""
    p, g, m = aligned(prediction, truth, mask)
    kernel = torch.full((size,), 1 / size, dtype=torch.float64, device=g.device)
    return _ssim(p * m, g * m, kernel, size * size / (size * size - 1))


def dssim_sintel(prediction: Tensor, truth: Tensor) -> Tensor:
    """``(1 − SSIM)/2`` of the MPI Sintel protocol: best global scale, then an 11×11 Gaussian window
    of σ 1.5.

    The protocol works in 0..255; SSIM with constants relative to the range is the same in 0..1.
    """
    return dssim_masked(prediction, truth)


def dssim_masked(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """``(1 − SSIM)/2`` of ``arap-1k``: best scale in the mask, both images zeroed outside it,
    Gaussian window as in :func:`dssim_sintel`."""
    p, g, m = aligned(prediction, truth, mask)
    scaled = p * m * best_scale(p, g, m)
    return (1 - _ssim(scaled, g * m, _gaussian(g), 1.0)) / 2


def _gaussian(like: Tensor) -> Tensor:
    taps = torch.arange(-5, 6, dtype=torch.float64, device=like.device)
    kernel = torch.exp(-taps.square() / (2 * 1.5**2))
    return kernel / kernel.sum()


def _ssim(p: Tensor, g: Tensor, kernel: Tensor, bias: float) -> Tensor:
    """Mean SSIM for a data range of 1; ``bias`` turns biased second moments into those wanted."""
    mean_p = _filter(p, kernel)
    mean_g = _filter(g, kernel)
    means = mean_p * mean_g
    variance_p = _filter(p * p, kernel) - mean_p.square()
    variance_g = _filter(g * g, kernel) - mean_g.square()
    covariance = _filter(p * g, kernel) - means
    luminance = _ratio(2 * means, mean_p.square() + mean_g.square(), _C1)
    variances = variance_p * bias + variance_g * bias
    structure = _ratio(2 * (covariance * bias), variances, _C2)
    similarity = luminance * structure
    return similarity.mean((1, 2, 3))


def _ratio(numerator: Tensor, denominator: Tensor, constant: float) -> Tensor:
    return (numerator + constant) / (denominator + constant)


def _filter(x: Tensor, kernel: Tensor) -> Tensor:
    """Separable filter of every channel, valid region only."""
    flat = x.reshape(-1, 1, *x.shape[-2:])
    flat = conv2d(conv2d(flat, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1))
    return flat.reshape(*x.shape[:2], *flat.shape[-2:])
