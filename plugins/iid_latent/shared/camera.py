"""Blends of exemplars that have nothing to do with each other, as a camera would have stored
them."""

from __future__ import annotations

import torch
from torch import Tensor

_WHITE, _DARK = 0.98, 0.004


def expose(light: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linear light [B,3,H,W] → photo in 0..1, what of ``mask`` [B,1,H,W] can be learned from, and
    the gain [B,1,1,1].

    Exposure is such that a few pixels clip; noise grows with light. Draws from torch's generator.
    """
    brightest = (light.amax(1) * mask[:, 0]).flatten(1)
    white = brightest.quantile(0.98, dim=1).clamp_min(1e-4)
    gain = (torch.empty_like(white).uniform_(0.6, 1.1) / white)[:, None, None, None]
    noise = torch.empty_like(gain).uniform_(-4.5, -2.8)
    exposed = light * gain
    spread = (10**noise * exposed + (10 ** (0.8 * noise)) ** 2).sqrt()
    photo = (exposed + spread * torch.randn_like(exposed)).clamp(0, 1)
    level = photo.amax(1, keepdim=True)
    return photo, mask * ((level < _WHITE) & (level > _DARK)), gain
