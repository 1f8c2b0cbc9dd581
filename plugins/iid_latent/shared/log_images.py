"""Images in logarithms: photo = albedo · shading becomes a sum, and exposure a constant.

A log image [B,3,H,W] is ``ln(x / level)`` of a linear one, kept between :data:`DARKEST` and
:data:`BRIGHTEST`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from intrinsic_cli.kit.light.exposure import encode_photo, exposure
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

DARKEST, BRIGHTEST = -4.6, 2.5
_FREE = 0.85  # part of an error's mean that is forgiven: nobody can tell a dark wall from dim light


def to_log(image: Tensor, level: Tensor | None = None) -> Tensor:
    """Linear → log image, relative to ``level`` [B,1,1,1] (None: the image's own exposure)."""
    level = exposure(image) if level is None else level
    return (image / level).clamp_min(1e-6).log().clamp(DARKEST, BRIGHTEST)


def from_log(image: Tensor) -> Tensor:
    """The inverse, up to the level."""
    return image.clamp(-6.0, 4.0).exp()


def encoder_input(image: Tensor) -> Tensor:
    """A log image as the ImageNet encoder likes it, in -1..1."""
    return encode_photo(from_log(image), image.new_ones(1))


def half_size(image: Tensor) -> Tensor:
    """[B,C,H,W] → [B,C,H/2,W/2]: layers are drawn at that size."""
    return F.avg_pool2d(image, 2)


def log_error(guess: Tensor, truth: Tensor, mask: Tensor, gradient: float = 1.0) -> Tensor:
    """L1 with most of the mean offset forgiven, plus multi-scale gradients of the error: log
    images → [B]."""
    error = guess - truth
    offset = masked_mean(error, mask).mean(1)
    offset = offset[:, None, None, None]
    counted = (error - _FREE * offset).abs()
    flat = masked_mean(counted, mask).mean(1)
    steps = gradient_loss(error, mask) / error.shape[1]
    return flat + gradient * steps
