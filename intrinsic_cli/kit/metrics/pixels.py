"""Errors over masked pixels and channels, with and without the best scale.

Every function takes a prediction and a truth ``[B,C,H,W]`` (``C`` of the prediction may be 1: it is
repeated) and a mask ``[B,1,H,W]`` (bool or 0/1; None means everywhere), and returns one number per
image ``[B]``. Linear light, nominal range 0..1."""

from __future__ import annotations

import torch
from torch import Tensor

# Below this energy a window of the prediction counts as black and gets the scale 0 (Grosse et al.'s
# own constant).
BLACK = 1e-5
# A photo's pixel with a channel at or above this is taken for clipped.
SATURATED = 0.99


def mse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error over masked pixels and channels, no rescaling."""
    p, g, m = aligned(prediction, truth, mask)
    return mean((p - g).square(), m)


def rmse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Square root of :func:`mse`."""
    return mse(prediction, truth, mask).sqrt()


def psnr(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """``20·log10(1/RMSE)`` in dB; infinite for a perfect prediction."""
    return -10 * mse(prediction, truth, mask).log10()


def si_mse(
    prediction: Tensor, truth: Tensor, mask: Tensor | None = None, clip: bool = False
) -> Tensor:
    """Mean squared error after the best single scale over all masked pixels and channels.

    ``clip`` cuts the scaled prediction at 1 before it is compared, as the MPI Sintel protocol does.
    """
    p, g, m = aligned(prediction, truth, mask)
    scaled = p * best_scale(p, g, m)
    return mean(((scaled.clamp(max=1) if clip else scaled) - g).square(), m)


def si_rmse(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Square root of :func:`si_mse`, per image."""
    return si_mse(prediction, truth, mask).sqrt()


def reconstruction(product: Tensor, photo: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error of clip(albedo · shading, 0, 1) against the linear photo, saturated pixels
    left out."""
    known = photo.amax(1, keepdim=True) < SATURATED
    return mse(product.clamp(0, 1), photo, known if mask is None else known & mask.bool())


def face_reconstruction(
    product: Tensor, photo: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """SfSNet's reconstruction error: per pixel 255·‖R−I‖₂ over RGB; its mean and its root mean
    square, each [B]."""
    p, g, m = aligned(product, photo, mask)
    known = m[:, :1]
    squared = 255**2 * (p - g).square().sum(1, keepdim=True)
    average = mean(squared.sqrt(), known)
    root_mean_square = mean(squared, known).sqrt()
    return average, root_mean_square


def aligned(
    prediction: Tensor, truth: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """float64 prediction and mask of the truth's shape, and the truth."""
    g = truth.double()
    m = torch.ones_like(g) if mask is None else mask.to(g).expand_as(g)
    return prediction.double().expand_as(g), g, m


def mean(error: Tensor, mask: Tensor) -> Tensor:
    """Masked mean per image, ``[B,C,H,W]`` → ``[B]``; 0 where nothing is masked."""
    return (error * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)


def best_scale(p: Tensor, g: Tensor, m: Tensor) -> Tensor:
    """The α that brings p closest to g, ``[B,1,1,1]``; 0 for a black prediction."""
    pp, pg = ((m * x).sum((1, 2, 3), keepdim=True) for x in (p * p, p * g))
    return torch.where(pp > BLACK, pg / pp.clamp(min=BLACK), torch.zeros_like(pp))
