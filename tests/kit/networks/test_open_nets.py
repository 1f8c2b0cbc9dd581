"""Networks made ready to decompose."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import open_nets, state_of

CPU = torch.device("cpu")


def _nets(seed: int) -> dict[str, nn.Module]:
    torch.manual_seed(seed)
    return {"a": nn.Conv2d(3, 4, 3), "b": nn.Sequential(nn.BatchNorm2d(4))}


def test_opened_nets_have_their_weights_and_do_not_learn() -> None:
    state = state_of(_nets(0))
    nets = _nets(1)
    open_nets(nets, state, CPU)
    for name, part in state_of(nets).items():
        assert all(torch.equal(x, state[name][key]) for key, x in part.items())
    assert not any(module.training for net in nets.values() for module in net.modules())
    assert not any(p.requires_grad for net in nets.values() for p in net.parameters())


def test_a_missing_net_is_named() -> None:
    state = {"a": state_of(_nets(0))["a"]}
    with pytest.raises(WeightsError, match="hold no network 'b', only a"):
        open_nets(_nets(1), state, CPU)
