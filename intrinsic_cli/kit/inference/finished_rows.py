"""What a method says last of a photo, some rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from intrinsic_cli.api import Decomposer, Decomposition
from intrinsic_cli.kit.inference.prepare import to_planes

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


def finished_rows(
    decomposer: Decomposer, shown: Tensor, layers: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Layers [1,C,n,W] of rows of a photo that are ``shown`` [1,3,n,W], as the method finishes
    them. What it leaves alone stays on its device."""
    given = {name: _as_image(layer) for name, layer in layers.items()}
    result = decomposer.finished(Decomposition(_as_image(shown), given))
    finished = {}
    for name, layer in result.layers.items():
        if layer is given.get(name):
            finished[name] = layers[name]
        else:
            finished[name] = to_planes(layer, shown.device).contiguous()
    return finished


def _as_image(layer: Tensor) -> Image:
    """[1,C,n,W] → [n,W,C], on the CPU without a copy."""
    image: Image = layer[0].permute(1, 2, 0).cpu().numpy()
    return image
