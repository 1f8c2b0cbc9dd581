"""Losses on log shading. A mask [B,1,H,W] tells where the truth holds."""

from __future__ import annotations

from torch import Tensor

from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

#: Part of a channel's mean offset that is forgiven: brightness is ambiguous, and colour is what is
#: asked for.
_FREE = (0.85, 0.0, 0.0)


def log_shading_loss(
    predicted: Tensor,
    truth: Tensor,
    mask: Tensor,
    chroma: float,
    gradient: float,
    forgiven: tuple[float, float, float] = _FREE,
) -> Tensor:
    """L1 plus multi-scale gradients of the error, per sample: [B,3,H,W] of ``light.to_log`` →
    [B]."""
    weight = predicted.new_tensor([1.0, chroma, chroma]).view(1, 3, 1, 1)
    error = predicted - truth
    free = predicted.new_tensor(forgiven).view(1, 3, 1, 1)
    offset = masked_mean(error, mask)[..., None, None]
    counted = (error - free * offset) * weight
    loss = masked_mean(counted.abs(), mask).sum(1)
    return loss + gradient * gradient_loss(error * weight, mask)


def agreement_loss(
    one: Tensor, other: Tensor, mask: Tensor, chroma: float, gradient: float, colour: float
) -> Tensor:
    """By how much the albedos of two photos of one paint differ, per pair: [B].

    ``one`` and ``other`` [B,3,H,W] are errors of log shading (answer minus truth): as the paint is
    the same and its noise-free log albedo is log light minus log shading, they differ as the
    albedos do. One scale is free, and of one colour for the whole photo all but the share
    ``colour``."""
    forgiven = (1.0, 1 - colour, 1 - colour)
    return log_shading_loss(one, other, mask, chroma, gradient, forgiven)


def kl_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence to N(0,1), mean over elements."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
