"""A network called on photos that are ready for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from intrinsic_cli.api import Decomposer, Outputs, PluginError, Region, Runtime
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
    with _as_always(runtime):
        answer = decomposer.look(shown, regions or [None] * len(photos))
    return checked(answer, len(photos), kinds)


def run_network_on_each(
    decomposer: Decomposer,
    photos: Sequence[PreparedPhoto],
    runtime: Runtime,
    kinds: Kinds,
    regions: Sequence[Region | None],
) -> list[Outputs]:
    """As :func:`run_network` for photos of unlike sizes: a checked answer for each. PluginError
    where there is not one for each."""
    shown = [network_input([photo], decomposer.frame) for photo in photos]
    with _as_always(runtime):
        answers = decomposer.look_each(shown, regions)
    if len(answers) != len(photos):
        raise PluginError(f"the method gave {len(answers)} answers for {len(photos)} photos")
    return [checked(answer, 1, kinds) for answer in answers]


@contextmanager
def _as_always(runtime: Runtime) -> Iterator[None]:
    """The same photo gives the same layers wherever in a folder it lies; who calls from Python goes
    on with random numbers of their own."""
    gpus = [runtime.device] if runtime.device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(runtime.seed)
        with torch.inference_mode(), autocast(runtime.device, runtime.precision):
            yield
