"""Angles between colours."""

from __future__ import annotations

import math

import pytest
import torch

from intrinsic_cli.kit import metrics


def plane(*colours: tuple[float, float, float]) -> torch.Tensor:
    """One pixel a colour, [1,3,1,N]."""
    return torch.tensor(colours).T[None, :, None]


def test_the_angle_between_red_and_gray() -> None:
    red, gray = plane((1, 0, 0)), torch.ones(1, 1, 1, 1)
    degrees = math.degrees(math.acos(1 / math.sqrt(3)))
    assert metrics.hue_error(gray, red).item() == pytest.approx(degrees, abs=1e-3)
    assert metrics.hue_error(red * 0, red).item() == pytest.approx(degrees, abs=1e-3), "black"


def test_no_scale_counts_not_even_one_a_pixel() -> None:
    torch.manual_seed(0)
    truth = torch.rand(2, 3, 5, 6) + 0.2
    scaled = truth * (torch.rand(2, 1, 5, 6) + 0.1)
    assert float(metrics.hue_error(scaled, truth).max()) < 0.01
    assert float(metrics.hue_error(truth.flip(1), truth).min()) > 1


def test_it_is_the_median_over_what_is_masked_and_not_dark() -> None:
    truth = plane((1, 1, 1), (1, 1, 1), (1, 1, 1), (0.001, 0, 0), (1, 1, 1))
    guess = plane((1, 1, 1), (1, 1, 0), (1, 1, 0), (0, 1, 0), (1, 0, 0))
    mask = torch.tensor([1, 1, 1, 1, 0]).view(1, 1, 1, 5)
    degrees = math.degrees(math.acos(2 / math.sqrt(6)))
    assert metrics.hue_error(guess, truth, mask).item() == pytest.approx(degrees, abs=1e-3)
    assert math.isnan(metrics.hue_error(guess, truth, mask * 0).item())
