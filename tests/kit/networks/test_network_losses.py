"""Losses by known values, and devices by name."""

from __future__ import annotations

import pytest
import torch

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.networks.device import autocast, pick_device, pick_precision, place
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean, scale_invariant_loss

ONES = torch.ones(1, 1, 4, 4)


def test_a_masked_mean_looks_at_the_mask_alone() -> None:
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [0.0, 1.0]])[None, None]
    assert masked_mean(x, mask).tolist() == [[1.5]]
    assert masked_mean(x, torch.zeros_like(mask)).tolist() == [[0.0]]


def test_the_gradient_loss_of_a_ramp() -> None:
    ramp = torch.arange(4.0).reshape(1, 1, 1, 4).expand(1, 1, 4, 4)
    assert gradient_loss(ramp, ONES, scales=1).item() == pytest.approx(1)
    # Pooled by two the ramp is twice as steep.
    assert gradient_loss(ramp, ONES, scales=2).item() == pytest.approx(3)
    assert gradient_loss(ramp, ONES).item() == pytest.approx(3), "one pixel has no neighbours"
    assert gradient_loss(ONES, ONES).item() == 0


def test_the_gradient_loss_leaves_out_what_is_masked() -> None:
    error = torch.zeros(1, 1, 4, 4)
    error[..., 3] = 100
    mask = ONES.clone()
    mask[..., 3] = 0
    assert gradient_loss(error, mask, scales=1).item() == 0
    assert gradient_loss(error, mask, scales=2).item() == 0


def test_a_coarse_pixel_counts_when_half_of_it_is_known() -> None:
    error, mask = torch.zeros(1, 1, 4, 4), ONES.clone()
    error[..., 0, 0] = 100
    mask[..., :2, :2] = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert gradient_loss(error, mask, scales=2).item() == 0
    mask[..., 0, 1] = error[..., 0, 1] = 0
    mask[..., 1, 1] = 1
    assert gradient_loss(error, mask, scales=2).item() > 0


def test_no_scale_is_an_error() -> None:
    truth = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.1
    mask = torch.ones(1, 1, 8, 8)
    for window in (None, 4):
        assert scale_invariant_loss(3 * truth, truth, mask, window).item() < 1e-6
        assert scale_invariant_loss(truth.flip(3), truth, mask, window).item() > 0.01
    whole = scale_invariant_loss(truth.flip(3), truth, mask).item()
    best = (truth * truth.flip(3)).sum() / truth.square().sum()
    error = (truth - best * truth.flip(3)).square().sum() / truth.square().sum()
    assert whole == pytest.approx(error.item(), rel=1e-4)
    halves = torch.cat([truth[..., :4], 2 * truth[..., 4:]], 3)
    assert scale_invariant_loss(halves, truth, mask).item() > 0.01


def test_devices_by_name() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    with pytest.raises(UsageError, match="no device called 'gpu'"):
        pick_device("gpu")
    assert pick_precision("auto", torch.device("cpu")) == "fp32"
    assert pick_precision("fp16", torch.device("cpu")) == "fp16"
    with pytest.raises(UsageError, match="no precision called 'fp8'"):
        autocast(torch.device("cpu"), "fp8")


def test_mixed_precision_is_for_its_block() -> None:
    net = place(torch.nn.Conv2d(1, 1, 1), torch.device("cpu"))
    with autocast(torch.device("cpu"), "bf16"):
        assert net(ONES).dtype == torch.bfloat16
    with autocast(torch.device("cpu"), "fp32"):
        assert net(ONES).dtype == torch.float32


def test_placed_networks_are_channels_last() -> None:
    net = place(torch.nn.Conv2d(4, 4, 3), torch.device("cpu"))
    assert net.weight.is_contiguous(memory_format=torch.channels_last)
