"""Learning rates over the steps, and the average of weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from intrinsic_cli.kit.training.schedule import Average, set_rate, warmup_cosine


def test_average_forgets_the_start_and_swaps_back() -> None:
    net = nn.Linear(1, 1, bias=False)
    average = Average({"net": net}, 0.999)
    for value in (0.0, 10.0, 10.0, 10.0, 10.0):
        net.weight.data.fill_(value)
        average.update()
    with average.applied():
        assert 9 < net.weight.item() < 10
    assert net.weight.item() == 10


def test_average_of_nothing_is_nothing() -> None:
    Average({"net": nn.Identity()}, 0.9).update()


def test_schedule_warms_up_and_decays() -> None:
    rates = [warmup_cosine(step, 1000, 100) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[100] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.01, abs=1e-3)
    assert max(rates) <= 1


def test_a_rate_is_scaled_from_its_own_peak() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.2)
    for factor in (0.5, 1.0, 0.25):
        set_rate(optimizer, factor)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.2 * factor)
