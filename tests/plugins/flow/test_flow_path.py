"""The path and the solver, against what can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from iid_flow.path import estimate, interpolate, velocity
from iid_flow.solver import euler


def test_path_runs_from_noise_to_data() -> None:
    x0, x1 = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    xt = interpolate(x0, x1, torch.tensor([0.0, 0.25, 1.0]))
    torch.testing.assert_close(xt[0], x0[0])
    torch.testing.assert_close(xt[1], 0.75 * x0[1] + 0.25 * x1[1])
    torch.testing.assert_close(xt[2], x1[2])


def test_true_velocity_points_at_the_data() -> None:
    x0, x1, t = torch.randn(2, 1, 3, 5), torch.randn(2, 1, 3, 5), torch.tensor([0.1, 0.7])
    torch.testing.assert_close(estimate(interpolate(x0, x1, t), velocity(x0, x1), t), x1)


@pytest.mark.parametrize("steps", [1, 2, 4, 20])
def test_euler_follows_a_straight_path_exactly(steps: int) -> None:
    x0, x1 = torch.randn(2, 1, 3, 5), torch.randn(2, 1, 3, 5)
    torch.testing.assert_close(euler(lambda x, t: velocity(x0, x1), x0, steps), x1)


def test_euler_asks_at_the_left_end_of_each_step() -> None:
    asked: list[Tensor] = []

    def field(x: Tensor, t: Tensor) -> Tensor:
        asked.append(t)
        return torch.zeros_like(x)

    euler(field, torch.zeros(2, 1, 1, 1), 4)
    torch.testing.assert_close(torch.stack(asked)[:, 0], torch.tensor([0.0, 0.25, 0.5, 0.75]))
