"""Where a photo tells what paint is: not where lamps, windows or the sun have left it white."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from iid_flow.decomposer import FlowDecomposer
from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.data.crops import WHITE

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


def known_paint(photo: Image) -> Image:
    """[H,W,3] linear → [H,W,1]: 0 where two channels or all are clipped, else 1. (Training leaves
    out pixels with one such channel; of those the colours still say something.) A photo that holds
    light beyond white clips nowhere."""
    if photo.max(initial=0) > 1:
        return np.ones((*photo.shape[:2], 1), np.float32)
    clipped = (photo >= WHITE).sum(-1, keepdims=True)
    return np.asarray(clipped < 2, np.float32)


def with_known(result: Decomposition) -> Decomposition:
    """The result and a layer ``mask`` of where its albedo is known."""
    layers = {**result.layers, "mask": known_paint(result.photo)}
    return replace(result, layers=layers)


class MaskedFlowDecomposer(FlowDecomposer):
    """The default network, with a mask of where its albedo is known."""

    finishes_rows = True

    def finished(self, result: Decomposition) -> Decomposition:
        return with_known(result)
