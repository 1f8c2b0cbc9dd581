"""Where the albedo is known: the mask that an option asks for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import iid_flow
from iid_flow.decompose_residual import build_residual
from iid_flow.known import known_paint
from iid_flow.method import Flow
from iid_flow.settings import FlowOptions
from intrinsic_cli.api import Decomposition, Runtime
from intrinsic_cli.kit.inference.strips import works_in_strips
from intrinsic_cli.kit.networks.checkpoint import state_of


def photo() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Gray, with a white, a yellow and a red pixel."""
    made = np.full((2, 4, 3), 0.4, np.float32)
    made[0, 0] = 1
    made[0, 1] = (1, 0.99, 0.3)
    made[0, 2] = (1, 0.2, 0.1)
    return made


def test_paint_is_unknown_where_two_channels_are_clipped() -> None:
    mask = known_paint(photo())
    assert mask.shape == (2, 4, 1)
    assert mask.dtype == np.float32
    assert mask[0, :, 0].tolist() == [0, 0, 1, 1]
    assert mask[1].all()


def test_light_beyond_white_is_not_clipped() -> None:
    bright = photo()
    bright[1, 1] = 7
    assert known_paint(bright).all()


@pytest.mark.parametrize("variant", ["", "residual"])
def test_the_mask_comes_with_the_option_alone(variant: str) -> None:
    runtime, state = Runtime(torch.device("cpu"), variant=variant), state_of(build_residual())
    shown = photo()
    made = {}
    for wanted in (False, True):
        options = FlowOptions(size=32, mask=wanted)
        net = Flow().decomposer(state, options, runtime)
        layers = {"albedo": shown, "shading": shown, "residual": 0 * shown}
        made[wanted] = set(net.finished(Decomposition(shown, layers)).layers)
    assert made[True] - made[False] == {"mask"}
    found = {v.name: v for v in iid_flow.iid_methods()[0].variants}[variant]
    assert "mask" in found.outputs(FlowOptions(mask=True))
    assert "mask" not in found.outputs(FlowOptions())


@pytest.mark.parametrize("variant", ["", "residual"])
@pytest.mark.parametrize("mask", [False, True])
def test_large_photos_are_done_in_strips_all_the_same(variant: str, mask: bool) -> None:
    """Rows finished one after the other are those of the whole."""
    runtime, state = Runtime(torch.device("cpu"), variant=variant), state_of(build_residual())
    net = Flow().decomposer(state, FlowOptions(mask=mask), runtime)
    assert works_in_strips(net)
    shown = photo()
    layers = {"albedo": shown, "shading": shown, "residual": 2 * shown - 0.5}
    whole = net.finished(Decomposition(shown, layers)).layers
    assert ("mask" in whole) == mask
    for row in (slice(0, 1), slice(1, 2)):
        parts = {name: layer[row] for name, layer in layers.items()}
        made = net.finished(Decomposition(shown[row], parts)).layers
        assert made.keys() == whole.keys()
        for name, layer in made.items():
            assert np.array_equal(layer, whole[name][row])
