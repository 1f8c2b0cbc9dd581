"""A network called on photos that are ready for it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from intrinsic_cli.api import Decomposer, Outputs, Region, Runtime
from intrinsic_cli.kit.inference.answer import Kinds, checked
from intrinsic_cli.kit.inference.prepare import PreparedPhoto, network_input
from intrinsic_cli.kit.networks.device import autocast


def run_network(
    decomposer: Decomposer,
    photos: Sequence[PreparedPhoto],
    runtime: Runtime,
    kinds: Kinds,
    regions: Sequence[Region | None] = (),
) -> Outputs:
    """Call the network on a batch, whose photos were cut out for ``regions``; its answer comes back
    checked, layers [B,C,h,w] float32."""
    shown = network_input(photos, decomposer.frame)
    # The same photo gives the same layers wherever in a folder it lies.
    torch.manual_seed(runtime.seed)
    with torch.inference_mode(), autocast(runtime.device, runtime.precision):
        answer = decomposer.look(shown, regions or [None] * len(photos))
    return checked(answer, len(photos), kinds)
