"""Angles in degrees: surface normals, light directions, cameras, colours."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def normals_error(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """Angles [N] between normals ``[B,3,H,W]`` (any length, same axes) at the pixels of ``mask``
    [B,1,H,W], pooled."""
    cosine = (normalize(prediction.double(), dim=1) * normalize(truth.double(), dim=1)).sum(1)
    angles = cosine.clamp(-1, 1).acos().rad2deg()
    return angles.flatten() if mask is None else angles[mask[:, 0].bool()]


def share_below(angles: Tensor, degrees: float) -> Tensor:
    """The share of ``angles`` below ``degrees``, in percent."""
    return 100 * (angles < degrees).double().mean()


def light_direction(harmonics: Tensor) -> Tensor:
    """Spherical-harmonics light [B,27] (nine red, nine green, nine blue) → unit direction [B,3] as
    (z, x, y).

    The mean over colours of entries 1, 2, 3 (SfSNet's order)."""
    return normalize(harmonics.double().view(-1, 3, 9).mean(1)[:, 1:4], dim=1)


def light_error(prediction: Tensor, truth: Tensor) -> Tensor:
    """Angle [B] between the directions of two lights [B,27]."""
    cosine = (light_direction(prediction) * light_direction(truth)).sum(1)
    return cosine.clamp(-1, 1).acos().rad2deg()


def light_rmse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Root mean squared difference [B] of all 27 coefficients of two lights [B,27]."""
    return (prediction.double() - truth.double()).square().mean(1).sqrt()


def camera_error(prediction: Tensor, truth: Tensor) -> Tensor:
    """Geodesic distance [B] between rotations given as quaternions [B,4]: ``2·arccos|⟨q,q'⟩|``,
    0..180."""
    cosine = (normalize(prediction.double(), dim=1) * normalize(truth.double(), dim=1)).sum(1)
    return 2 * torch.acos(cosine.abs().clamp(max=1)).rad2deg()


def hue_error(prediction: Tensor, truth: Tensor, mask: Tensor | None = None) -> Tensor:
    """The median angle [B] between the colours [B,1 or 3,H,W] of prediction and truth, seen as
    directions in linear RGB, over the pixels of ``mask`` [B,1,H,W] where the truth has at least a
    fiftieth of its brightest light. No scale counts, neither a common one nor one a pixel; black is
    taken for gray. NaN where no pixel is left."""
    guess, true = _coloured(prediction), _coloured(truth)
    light = true.amax(1)
    brightest = light.amax((1, 2), keepdim=True)
    told = light >= _DIM * brightest
    if mask is not None:
        told = told & mask[:, 0].bool()
    cosine = (normalize(guess, dim=1) * normalize(true, dim=1)).sum(1)
    angles = cosine.clamp(-1, 1).acos().rad2deg()
    medians = []
    for known, angle in zip(told, angles, strict=True):
        medians.append(angle[known].median())
    return torch.stack(medians)


_DIM = 0.02  # of the brightest light: below, a colour is hardly seen and hardly known
_BLACK = 1e-6  # added to every channel, so that black has a direction


def _coloured(image: Tensor) -> Tensor:
    """[B,1 or 3,H,W] → [B,3,H,W] float64 above 0."""
    batch, _, height, width = image.shape
    colours = image.double().clamp(min=0).expand(batch, 3, height, width)
    return colours + _BLACK
