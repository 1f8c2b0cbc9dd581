"""Pictures made of exemplars that have nothing to do with each other: an albedo here lit by a shading from there."""

from __future__ import annotations

import torch
from torch import Tensor

_WHITE, _DARK = 0.98, 0.004


def compose(albedo: Tensor, shading: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Linear exemplars [B,3,H,W] → their product as a camera would have stored it, and where it can be learned from.

    Exposure is such that a few pixels clip; sensor noise grows with light. Draws from torch's generator.
    """
    light = albedo * shading
    brightest = (light.amax(1) * mask[:, 0]).flatten(1)
    white = brightest.quantile(0.98, dim=1).clamp_min(1e-4)
    gain = torch.empty_like(white).uniform_(0.6, 1.1) / white
    exposed = light * gain[:, None, None, None]
    noise = torch.empty_like(white).uniform_(-4.5, -2.8)[:, None, None, None]
    spread = (10**noise * exposed + (10 ** (0.8 * noise)) ** 2).sqrt()
    photo = (exposed + spread * torch.randn_like(exposed)).clamp(0, 1)
    level = photo.amax(1, keepdim=True)
    return photo, mask * ((level < _WHITE) & (level > _DARK))
