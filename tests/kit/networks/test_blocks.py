"""Building blocks of networks."""

from __future__ import annotations

import torch
from torch import nn

from intrinsic_cli.kit.networks.blocks import Block, doubled, with_gradient


def test_a_block_begins_with_what_it_gets() -> None:
    """Its layers add to it."""
    block = Block(16)
    nn.init.zeros_(block.conv2.weight)
    assert block.conv2.bias is not None
    nn.init.zeros_(block.conv2.bias)
    x = torch.rand(2, 16, 5, 7)
    assert block(x).equal(x)


def test_doubled_pictures_keep_their_means() -> None:
    x = torch.rand(1, 2, 4, 6)
    assert doubled(x).shape == (1, 2, 8, 12)
    assert doubled(x).mean().isclose(x.mean(), atol=0.02)


def test_maps_of_frozen_layers_get_a_gradient_where_layers_learn() -> None:
    frozen = torch.rand(1, 8, 4, 4)
    taken = with_gradient(frozen)
    assert taken.requires_grad
    assert taken.equal(frozen)
    assert not frozen.requires_grad, "what was handed over stays as it was"


def test_maps_that_learn_and_maps_that_are_only_looked_at_stay_themselves() -> None:
    learning = torch.rand(1, 8, 4, 4).requires_grad_()
    assert with_gradient(learning) is learning
    frozen = torch.rand(1, 8, 4, 4)
    with torch.no_grad():
        assert with_gradient(frozen) is frozen


def test_a_group_norm_behind_frozen_layers_learns_with_channels_last() -> None:
    """Where torch 2.13 crashed."""
    norm = nn.GroupNorm(8, 16)
    frozen = torch.rand(1, 16, 8, 8).to(memory_format=torch.channels_last)
    norm(with_gradient(frozen)).square().sum().backward()
    assert norm.weight.grad is not None
    assert norm.weight.grad.isfinite().all()
