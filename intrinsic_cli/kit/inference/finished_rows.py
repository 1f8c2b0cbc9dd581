"""What a method says last of a photo, some rows at a time."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from intrinsic_cli.api import Decomposer, Decomposition
from intrinsic_cli.kit.inference.prepare import to_image, to_planes


def finished_rows(
    decomposer: Decomposer, shown: Tensor, layers: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Layers [1,C,n,W] of rows of a photo that are ``shown`` [1,3,n,W], as the method finishes
    them. What it leaves alone stays on its device."""
    given = {name: to_image(layer) for name, layer in layers.items()}
    result = decomposer.finished(Decomposition(to_image(shown), given))
    finished = {}
    for name, layer in result.layers.items():
        if layer is given.get(name):
            finished[name] = layers[name]
        else:
            finished[name] = to_planes(layer, shown.device).contiguous()
    return finished
