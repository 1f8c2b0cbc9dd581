"""Edges in the wrong layer, on pictures of two paints or two lights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.metrics.edges import FEWEST, HARD, STEPS_A_SIDE

HEIGHT, WIDTH = 40, 64


def two_halves(left: float, right: float) -> Tensor:
    """[1,3,H,W] with a step of right / left in the middle, each channel of another brightness."""
    plane = torch.full((1, 1, HEIGHT, WIDTH), left)
    plane[..., WIDTH // 2 :] = right
    return plane * torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1)


FLAT = two_halves(0.6, 0.6)
SHADOW = two_halves(0.9, 0.2)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("power", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (-0.25, -0.25)])
def test_the_share_is_the_part_of_the_step_that_strayed(
    power: float, share: float, turned: bool
) -> None:
    layers = [FLAT * SHADOW**power, SHADOW, FLAT]
    if turned:
        layers = [layer.mT for layer in layers]
    assert metrics.share_of_steps(*layers).item() == pytest.approx(share, abs=1e-6)


def test_the_square_root_of_the_photo_leaves_half_of_either() -> None:
    photo = FLAT * SHADOW
    root = photo.sqrt()
    assert metrics.share_of_steps(root, SHADOW, FLAT).item() == pytest.approx(0.5, abs=1e-6)


def test_steps_of_both_layers_at_one_place_do_not_count() -> None:
    painted = two_halves(0.3, 0.6)
    assert math.isnan(metrics.share_of_steps(painted, SHADOW, painted).item())


def test_neither_soft_light_nor_few_steps_are_told() -> None:
    soft = torch.linspace(0, 1, WIDTH).exp().expand(1, 1, HEIGHT, WIDTH)
    weak = two_halves(1.0, math.exp(-0.9 * HARD))
    for light in (soft, weak):
        assert math.isnan(metrics.share_of_steps(light, light, FLAT).item())
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., : FEWEST - 1, :] = 1
    assert math.isnan(metrics.share_of_steps(SHADOW, SHADOW, FLAT, mask).item())
    mask[..., :FEWEST, :] = 1
    assert metrics.share_of_steps(SHADOW, SHADOW, FLAT, mask).item() == pytest.approx(1)


def test_pixels_outside_the_mask_are_not_looked_at() -> None:
    mask = torch.ones(1, 1, HEIGHT, WIDTH)
    mask[..., WIDTH // 2 - 1 : WIDTH // 2 + 1] = 0
    assert math.isnan(metrics.share_of_steps(SHADOW, SHADOW, FLAT, mask).item())


def test_edges_of_large_pictures_may_be_a_little_soft() -> None:
    width = 4 * STEPS_A_SIDE
    ramp = torch.ones(1, 1, 30, width)
    ramp[..., : width // 2] = 0.25
    ramp[..., width // 2 - 2 : width // 2 + 1] = torch.tensor([0.35, 0.5, 0.71])
    flat = torch.ones_like(ramp)
    assert metrics.share_of_steps(ramp, ramp, flat).item() == pytest.approx(1)


def test_each_picture_of_a_batch_has_its_own_share() -> None:
    answered = torch.cat([FLAT, FLAT * SHADOW])
    shares = metrics.share_of_steps(answered, SHADOW.repeat(2, 1, 1, 1), FLAT.repeat(2, 1, 1, 1))
    torch.testing.assert_close(shares, torch.tensor([0.0, 1.0], dtype=torch.float64))


def test_gray_layers_and_black_are_no_trouble() -> None:
    light = SHADOW[:, :1] * (torch.arange(WIDTH) > 3)
    assert metrics.share_of_steps(FLAT, light, FLAT[:, :1]).item() == 0
    tiny = torch.ones(1, 1, 1, 1)
    assert math.isnan(metrics.share_of_steps(tiny, tiny, tiny).item())
