"""Adversarial training that has collapsed is stopped, not finished."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from intrinsic_cli.api import TrainingError

_FLAT = 1e-3  # standard deviation below which an image says nothing

_HINT = (
    "try a lower learning rate (--set lr=…, dis_lr=…) or less adversarial weight "
    "(--set adversarial=…)"
)


def require_varied_layers(layers: Mapping[str, Tensor]) -> None:
    """TrainingError if a layer [B,C,H,W] is one flat colour in every image of a batch: it has
    collapsed."""
    for name, layer in layers.items():
        if float(layer.flatten(2).std(2).amax()) < _FLAT:
            message = f"training has collapsed: {name} is one flat colour whatever the photo"
            raise TrainingError(message, _HINT)
