"""What a face shows by the way its parts face: features gathered by their normals, wherever in the
picture they lie and however large the face is there."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Across and along the picture, the normals that features are gathered about, and how near to one
#: of them a normal counts for it.
_MIDDLES = (-0.75, -0.25, 0.25, 0.75)
_NEAR = 0.25
_WAYS = len(_MIDDLES) ** 2
_CHANNELS, _HIDDEN = 48, 96
_LIGHT = 27
_DROPPED = 0.15  # so that no single head is learned by heart
#: Pixels that every direction has besides its own, of nothing.
_ONE_MORE = 1.0


class ByFacing(nn.Module):
    """Features → what they tell of a light. It begins by telling nothing."""

    middles: Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        places = torch.tensor(_MIDDLES)
        self.register_buffer("middles", torch.cartesian_prod(places, places), persistent=False)
        self.reduce = nn.Sequential(
            nn.Conv2d(inputs, _CHANNELS, 1),
            nn.SiLU(),
            nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1),
            nn.SiLU(),
        )
        self.tell = nn.Sequential(
            nn.Dropout(_DROPPED),
            nn.Linear(_WAYS * (_CHANNELS + 1), _HIDDEN),
            nn.SiLU(),
            nn.Dropout(_DROPPED),
            nn.Linear(_HIDDEN, _LIGHT),
        )
        for numbers in self.tell[-1].parameters():
            nn.init.zeros_(numbers)

    def forward(self, features: Tensor, normals: Tensor, inside: Tensor) -> Tensor:
        """``features`` [B,inputs,h,w], unit ``normals`` [B,3,h,w] and ``inside`` [B,1,h,w], 0..1 →
        [B,27]."""
        reduced = self.reduce(features).flatten(2)
        counts = self._near(normals) * inside.flatten(2)
        total = counts.sum(2, keepdim=True)
        shares = counts / (total + _ONE_MORE)
        gathered = shares @ reduced.transpose(1, 2)
        size = 4 * total / total.sum(1, keepdim=True).clamp_min(_ONE_MORE)
        told: Tensor = self.tell(torch.cat([gathered, size], 2).flatten(1))
        return told

    def _near(self, normals: Tensor) -> Tensor:
        """How near each normal is to each middle: [B,ways,h·w], 0..1."""
        across = normals[:, None, :2].flatten(3)
        off = across - self.middles[None, :, :, None]
        return (-off.square().sum(2) / (2 * _NEAR**2)).exp()
