"""Whether a silhouette, or a rendered object, looks like one of the dataset: for sides of objects
that no photo shows."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_CHANNELS = (32, 64, 32, 32)
_STRIDE = 16
#: What of the gradient passes to the pictures, turned round.
_PASSED = 0.2


class Discriminator(nn.Module):
    """Pictures [B,channels,size,size] → logits [B] of being seen ones; ``size`` is a multiple of
    16. What made the pictures learns to raise the very loss this lowers."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for outputs in _CHANNELS:
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Conv2d(inputs, 1, 1))
        side = size // _STRIDE
        self.exit = nn.Linear(side * side, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.layers(with_reversed_gradient(pictures))
        logits: Tensor = self.exit(maps.flatten(1))
        return logits.squeeze(1)

    def loss(self, pictures: Tensor, seen: bool) -> Tensor:
        """How badly ``pictures`` are told, the mean binary cross-entropy."""
        logits = self(pictures)
        truth = logits.new_full(logits.shape, float(seen))
        return F.binary_cross_entropy_with_logits(logits, truth)


def with_reversed_gradient(x: Tensor, passed: float = _PASSED) -> Tensor:
    """The same numbers; their gradient is turned round and becomes ``passed`` times as large."""
    return (1 + passed) * x.detach() - passed * x
