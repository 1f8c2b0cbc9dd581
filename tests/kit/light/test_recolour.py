"""Colours of light that follow its brightness."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit.light.recolour import GREENER, MOST_TINT, WARMER, recolour

SIDE = 48


def half_dark(left: tuple[float, float, float], right: tuple[float, float, float]) -> Tensor:
    """[1,3,SIDE,SIDE], one colour to the left and one to the right."""
    layer = torch.empty(1, 3, SIDE, SIDE)
    layer[..., : SIDE // 2] = torch.tensor(left).view(1, 3, 1, 1)
    layer[..., SIDE // 2 :] = torch.tensor(right).view(1, 3, 1, 1)
    return layer


def gray(layer: Tensor) -> Tensor:
    """As bright, without colour."""
    level: Tensor = layer.log().mean(1, keepdim=True)
    return level.exp().expand(-1, 3, -1, -1).contiguous()


def warmth_across(layer: Tensor) -> float:
    """Log red over blue a few pixels left of the middle, less that to its right."""
    warmth = (layer[:, 0] / layer[:, 2]).log()
    middle = SIDE // 2
    left = warmth[..., middle - 6 : middle - 3].mean()
    right = warmth[..., middle + 3 : middle + 6].mean()
    return float(left - right)


SUN, SKY = (0.9, 0.9, 0.9), (0.10, 0.145, 0.22)


def test_a_shadow_that_only_the_sky_sees_is_lit_blue() -> None:
    light = half_dark(SUN, SKY)
    paint = torch.tensor([0.5, 0.45, 0.4]).view(1, 3, 1, 1)
    answer = recolour(gray(light), paint * light)
    true = warmth_across(light)
    assert true > 0.7
    assert 0.5 * true < warmth_across(answer) < 1.1 * true


def test_brightness_stays() -> None:
    light = half_dark(SUN, SKY)
    answer = recolour(gray(light), light)
    assert torch.allclose(answer.log().mean(1), light.log().mean(1), atol=1e-4)


@pytest.mark.parametrize("colour", [(0.9, 0.05, 0.05), (0.1, 0.1, 0.6), (0.6, 0.3, 0.05)])
def test_colours_of_paint_stay_out_of_the_light(colour: tuple[float, float, float]) -> None:
    light = half_dark((0.9, 0.9, 0.9), (0.3, 0.3, 0.3))
    paint = half_dark((0.5, 0.5, 0.5), colour)
    answer = recolour(light, paint * light)
    assert abs(warmth_across(answer)) < 0.25 * abs(warmth_across(paint))


def test_colour_that_changes_alone_is_paint() -> None:
    light = torch.full((1, 3, SIDE, SIDE), 0.8)
    paint = half_dark((0.5, 0.4, 0.3), (0.35, 0.4, 0.45))
    assert abs(warmth_across(recolour(light, paint * light))) < 0.02


def test_gray_stays_gray_and_even_casts_stay() -> None:
    light = half_dark((0.9, 0.9, 0.9), (0.2, 0.2, 0.2))
    assert torch.allclose(recolour(light, 0.5 * light), light, atol=1e-4)
    cast = light * torch.tensor([1.2, 1.0, 0.8]).view(1, 3, 1, 1)
    assert torch.allclose(recolour(cast, 0.5 * cast), cast, atol=2e-3)


@pytest.mark.parametrize("sign", [-1, 1])
def test_light_is_hardly_green_or_magenta(sign: int) -> None:
    cold = 0.3 * torch.tensor(WARMER)
    tint = sign * 3 * MOST_TINT * torch.tensor(GREENER)
    light = half_dark((0.9, 0.9, 0.9), (0.2, 0.2, 0.2))
    tinted = light * (tint - cold).exp().view(1, 3, 1, 1)
    believed = light * (tint / 3 - cold).exp().view(1, 3, 1, 1)
    assert torch.allclose(recolour(tinted, 0.5 * tinted), believed, atol=2e-3)


def test_a_slight_tint_stays() -> None:
    light = half_dark((0.9, 0.9, 0.9), (0.2, 0.2, 0.2))
    tinted = light * (0.8 * MOST_TINT * torch.tensor(GREENER)).exp().view(1, 3, 1, 1)
    assert torch.allclose(recolour(tinted, 0.5 * tinted), tinted, atol=2e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 3)])
def test_black_photos_of_any_size_have_finite_light(size: tuple[int, int]) -> None:
    photo = torch.zeros(2, 3, *size)
    answer = recolour(torch.zeros_like(photo), photo)
    assert answer.shape == photo.shape
    assert torch.isfinite(answer).all()
    assert (answer > 0).all()


def test_warmth_is_no_brightness_and_of_length_one() -> None:
    warmer = torch.tensor(WARMER)
    assert abs(float(warmer.sum())) < 1e-6
    assert float(warmer.norm()) == pytest.approx(1, abs=1e-3)
