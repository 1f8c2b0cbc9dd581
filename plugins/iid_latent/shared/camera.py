"""Mixtures of exemplars that have nothing to do with each other, as a camera would have stored
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
    brightest = light.amax(1) * mask[:, 0]
    white = brightest.flatten(1).quantile(0.98, dim=1).clamp_min(1e-4)
    exposures = torch.empty_like(white).uniform_(0.6, 1.1)
    gain = (exposures / white)[:, None, None, None]
    exposed = light * gain
    photo = _with_noise(exposed).clamp(0, 1)
    level = photo.amax(1, keepdim=True)
    neither_clipped_nor_dark = (level < _WHITE) & (level > _DARK)
    return photo, mask * neither_clipped_nor_dark, gain


def _with_noise(light: Tensor) -> Tensor:
    """Noise of photons, which grows with light, and of the sensor, of a random amount a photo."""
    amount = light.new_empty(len(light), 1, 1, 1).uniform_(-4.5, -2.8)
    of_photons = 10**amount * light
    of_sensor = (10 ** (0.8 * amount)) ** 2
    spread = (of_photons + of_sensor).sqrt()
    return light + spread * torch.randn_like(light)
