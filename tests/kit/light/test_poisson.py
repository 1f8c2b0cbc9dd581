"""The Poisson solver: against matrices, against known fields, around holes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit.light.poisson import (
    Gradient,
    cosines,
    gradient,
    integrate,
    solve_evenly,
    uncosines,
)

SIZES = [(1, 1), (1, 6), (3, 5), (7, 4), (8, 8)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def waves(height: int, width: int) -> Tensor:
    """A smooth field with steps in it, [1,1,H,W] float32."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return (torch.sin(5 * x + 3 * y) + (x > 0.4) * 0.7 - (y > x) * 0.5)[None, None]


def everywhere(field: Tensor) -> Gradient:
    down, right = gradient(field)
    return torch.ones_like(down), torch.ones_like(right)


def inside(mask: Tensor) -> Gradient:
    return mask[..., 1:, :] * mask[..., :-1, :], mask[..., 1:] * mask[..., :-1]


def disc(size: int, radius: float = 0.4) -> Tensor:
    y, x = torch.meshgrid(
        torch.linspace(-0.5, 0.5, size), torch.linspace(-0.5, 0.5, size), indexing="ij"
    )
    return (x.square() + y.square() < radius**2).float()[None, None]


def centred(field: Tensor, mask: Tensor | None = None) -> Tensor:
    mask = torch.ones_like(field) if mask is None else mask
    return (field - (field * mask).sum() / mask.sum()) * mask


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 16, 27])
def test_cosine_transform_is_its_definition(count: int) -> None:
    signal = noise(2, 3, count)
    n = torch.arange(count, dtype=torch.float64)
    matrix = (math.pi * n[:, None] * (2 * n + 1) / (2 * count)).cos()
    assert torch.allclose(cosines(signal), signal @ matrix.T, atol=1e-12)
    assert torch.allclose(uncosines(cosines(signal)), signal, atol=1e-12)


def dense(height: int, width: int, weight: Gradient) -> Tensor:
    """The weighted Laplacian as a matrix [HW,HW], a column for every pixel."""
    columns = []
    for pixel in torch.eye(height * width, dtype=torch.float64):
        down, right = gradient(pixel.view(height, width))
        down, right = down * weight[0], right * weight[1]
        field = torch.zeros(height, width, dtype=torch.float64)
        field[1:] += down
        field[:-1] -= down
        field[:, 1:] += right
        field[:, :-1] -= right
        columns.append(field.flatten())
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_even_solution_is_the_dense_one(height: int, width: int) -> None:
    goal = noise(height, width)
    goal = goal - goal.mean()
    exact = torch.linalg.pinv(dense(height, width, everywhere(goal))) @ goal.flatten()
    assert torch.allclose(solve_evenly(goal).flatten(), exact, atol=1e-10)


def test_weighted_solution_is_the_dense_one() -> None:
    slope, weight = (
        gradient(noise(1, 1, 6, 7)),
        (noise(1, 1, 5, 7, seed=1) > 0, noise(1, 1, 6, 6, seed=2) > 0),
    )
    flags = weight[0].double(), weight[1].double()
    matrix = dense(6, 7, (flags[0][0, 0], flags[1][0, 0]))
    conflicting = slope[0] + 1, slope[1] * 2
    found = integrate(conflicting, flags)
    goal = torch.zeros(1, 1, 6, 7, dtype=torch.float64)
    goal[..., 1:, :] += conflicting[0] * flags[0]
    goal[..., :-1, :] -= conflicting[0] * flags[0]
    goal[..., 1:] += conflicting[1] * flags[1]
    goal[..., :-1] -= conflicting[1] * flags[1]
    assert torch.allclose(matrix @ found.flatten(), goal.flatten(), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (101, 57), (1, 40), (250, 400)])
def test_recovers_a_known_field(height: int, width: int) -> None:
    field = waves(height, width)
    found = integrate(gradient(field), everywhere(field))
    assert found.dtype == torch.float32
    assert torch.allclose(centred(found), centred(field), atol=1e-4)


@pytest.mark.parametrize("size", [40, 99, 160])
def test_recovers_a_field_on_a_disc_whatever_lies_around_it(size: int) -> None:
    field, mask = waves(size, size), disc(size)
    broken = field * mask - 9 * (1 - mask)
    found = integrate(gradient(broken), inside(mask))
    assert torch.allclose(centred(found, mask), centred(field, mask), atol=1e-4)


def test_an_answer_does_not_depend_on_its_batch() -> None:
    fields = torch.cat([waves(48, 40), waves(48, 40).flip(3), 3 * waves(48, 40)])
    mask = torch.ones_like(fields)
    mask[1, :, 10:20, 5:30] = 0
    mask[2, :, :, :8] = 0
    slope, weight = gradient(fields), inside(mask)
    together = integrate(slope, weight)
    for i in range(3):
        one = slice(i, i + 1)
        alone = integrate((slope[0][one], slope[1][one]), (weight[0][one], weight[1][one]))
        assert torch.allclose(together[one], alone, atol=1e-5)


def test_islands_keep_their_places_and_nothing_known_gives_nothing() -> None:
    mask = torch.ones(1, 1, 20, 30)
    mask[..., 14:16] = 0
    flat = torch.zeros(1, 1, 20, 30)
    assert torch.equal(integrate(gradient(flat), inside(mask)), flat)
    assert torch.equal(integrate(gradient(waves(20, 30)), inside(torch.zeros_like(mask))), flat)


@pytest.mark.parametrize("size", SIZES)
def test_a_screen_draws_to_nothing(size: tuple[int, int]) -> None:
    height, width = size
    goal = noise(2, 1, height, width, seed=5)
    field = solve_evenly(goal, 0.3)
    ones = torch.ones(1, 1, height, width, dtype=torch.float64)
    matrix = dense(height, width, everywhere(ones[0, 0]))
    rest = 0.3 * field.flatten(2) + field.flatten(2) @ matrix.T
    assert torch.allclose(rest, goal.flatten(2), atol=1e-9)
