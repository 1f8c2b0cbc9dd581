"""Fully connected layers as the published network has them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

_SPREAD = 0.02


class Norm1d(nn.BatchNorm1d):
    """Batch norm of vectors [B,C]; one vector alone, which has no statistics, is normed by those
    stored."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 1:
            return super().forward(x)
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False)


class Predictor(nn.Module):
    """One linear layer under its published name; it begins near zero."""

    def __init__(self, inputs: int, outputs: int, spread: float = _SPREAD) -> None:
        super().__init__()
        self.pred_layer = nn.Linear(inputs, outputs)
        nn.init.normal_(self.pred_layer.weight, std=spread)
        nn.init.zeros_(self.pred_layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        predicted: Tensor = self.pred_layer(x)
        return predicted


def plain(inputs: int, outputs: int) -> nn.Sequential:
    """Linear, rectified."""
    return nn.Sequential(small(nn.Linear(inputs, outputs)), nn.LeakyReLU(0.1))


def normed(inputs: int, outputs: int) -> nn.Sequential:
    """Linear, normed, rectified."""
    layer = small(nn.Linear(inputs, outputs))
    return nn.Sequential(layer, Norm1d(outputs), nn.LeakyReLU(0.2))


def small(layer: nn.Linear | nn.Conv2d) -> nn.Linear | nn.Conv2d:
    """The layer with the published beginning: small weights, no bias."""
    nn.init.normal_(layer.weight, std=_SPREAD)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
