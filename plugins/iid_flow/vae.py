"""Auto-encoder of log shading: three channels at full size to sixteen at a quarter."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from intrinsic_cli.kit.networks.blocks import Block

LATENTS = 16
FACTOR = 4


class ShadingVAE(nn.Module):
    """[B,3,H,W] log shading (see ``light.to_log``) ↔ [B,16,H/4,W/4] latents, normalised per
    channel.

    ``shift`` and ``scale`` are the mean and spread of the raw latents, measured once after
    training."""

    shift: Tensor
    scale: Tensor

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, width // 2, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width // 2, width, 3, stride=2, padding=1),
            Block(width),
            nn.Conv2d(width, 2 * LATENTS, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENTS, width, 3, padding=1),
            Block(width),
            nn.Conv2d(width, 4 * (width // 2), 1),
            nn.PixelShuffle(2),
            nn.SiLU(),
            nn.Conv2d(width // 2, width // 2, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width // 2, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.register_buffer("shift", torch.zeros(1, LATENTS, 1, 1))
        self.register_buffer("scale", torch.ones(1, LATENTS, 1, 1))

    def posterior(self, log_shading: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the raw latents."""
        mean, log_variance = self.encoder(log_shading).chunk(2, 1)
        return mean, log_variance.clamp(-12, 4)

    def encode(self, log_shading: Tensor) -> Tensor:
        """Normalised latents: the posterior mean."""
        return (self.posterior(log_shading)[0] - self.shift) / self.scale

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents → log shading."""
        decoded: Tensor = self.decoder(latents * self.scale + self.shift)
        return decoded

    @torch.no_grad()
    def measure(self, log_shadings: list[Tensor]) -> None:
        """Set the normalisation from log shadings [B,3,H,W]."""
        raw = []
        for log_shading in log_shadings:
            mean, _ = self.posterior(log_shading)
            by_channel = mean.transpose(0, 1).flatten(1)
            raw.append(by_channel)
        together = torch.cat(raw, 1)
        shift = together.mean(1)
        scale = together.std(1).clamp_min(1e-3)
        self.shift.copy_(shift.view_as(self.shift))
        self.scale.copy_(scale.view_as(self.scale))
