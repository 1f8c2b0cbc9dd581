"""Metrics against recorded reference numbers, hand-worked cases and what must hold for any
image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit import metrics

# Recorded from the public originals on generated images (sintel.npz: images rounded to float32).
FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"
METRICS = {
    "mse": metrics.mse,
    "rmse": metrics.rmse,
    "si_mse": metrics.si_mse,
    "si_rmse": metrics.si_rmse,
    "lmse": metrics.lmse,
}


def load(name: str) -> Mapping[str, Any]:
    with np.load(FIXTURES / f"{name}.npz") as file:
        return dict(file)


def planes(image: Any) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def test_sintel_reference_numbers() -> None:
    ref = load("sintel")
    p, g = planes(ref["pred"]), planes(ref["gt"])
    assert metrics.si_mse(p, g, clip=True).item() == pytest.approx(float(ref["si_mse"]), abs=1e-6)
    assert metrics.lmse_sintel(p, g, 20, 10).item() == pytest.approx(float(ref["lmse"]), abs=1e-6)
    assert metrics.dssim_sintel(p, g).item() == pytest.approx(float(ref["dssim"]), abs=1e-6)
    assert metrics.lmse(p[:, :1], g[:, :1]).item() == pytest.approx(
        float(ref["grosse_lmse_ch0"]), abs=1e-6
    )


@pytest.mark.parametrize("kind", ["rgb", "gray"])
@pytest.mark.parametrize("name", ["si_mse", "si_rmse", "lmse", "rmse", "psnr"])
def test_arap_reference_numbers(kind: str, name: str) -> None:
    ref = load("arap")
    p, g, mask = (torch.from_numpy(ref[key]) for key in ("m_pred", "m_alb_gt", "m_mask"))
    if kind == "gray":
        p, g = p[:, :1], torch.from_numpy(ref["m_tgt"])[:, :1]
    found = getattr(metrics, name)(p, g, mask).mean().item()
    assert found == pytest.approx(float(ref[f"arap_iid_{kind}_{name.upper()}"]), abs=1e-6)


def test_uniform_ssim_reference_numbers() -> None:
    ref = load("arap")
    p, g = torch.from_numpy(ref["m_pred"]), torch.from_numpy(ref["m_alb_gt"])
    assert metrics.ssim(p, g).mean().item() == pytest.approx(
        float(ref["arap_iid_rgb_SSIM"]), abs=1e-6
    )
    p, g = p[:1, :1], torch.from_numpy(ref["m_tgt"])[:1, :1]
    assert (1 - metrics.ssim(p, g).item()) / 2 == pytest.approx(float(ref["mit_dssim"]), abs=1e-6)
    assert metrics.mse(p, g).item() == pytest.approx(float(ref["mit_mse"]), abs=1e-6)


def pair(channels: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.Generator().manual_seed(3)
    p, g = (torch.rand(2, channels, 43, 57, generator=made) for _ in range(2))
    return p, g, torch.rand(2, 1, 43, 57, generator=made) > 0.3


@pytest.mark.parametrize("name", METRICS)
def test_perfect_is_zero(name: str) -> None:
    _, g, mask = pair()
    assert METRICS[name](g, g, mask).abs().max() < 1e-7
    assert metrics.psnr(g, g, mask).isinf().all()


@pytest.mark.parametrize("name", ["si_mse", "si_rmse", "lmse"])
@pytest.mark.parametrize("gain", [0.01, 0.5, 40.0])
def test_scale_of_the_prediction_does_not_count(name: str, gain: float) -> None:
    p, g, mask = pair()
    torch.testing.assert_close(
        METRICS[name](p * gain, g, mask), METRICS[name](p, g, mask), rtol=1e-5, atol=1e-9
    )


@pytest.mark.parametrize("name", METRICS)
def test_masked_pixels_do_not_count(name: str) -> None:
    p, g, mask = pair()
    spoilt = torch.where(mask, p, torch.full_like(p, 9.0))
    torch.testing.assert_close(METRICS[name](spoilt, g, mask), METRICS[name](p, g, mask))


@pytest.mark.parametrize("name", METRICS)
def test_images_of_a_batch_do_not_mix(name: str) -> None:
    p, g, mask = pair()
    alone = torch.cat(
        [METRICS[name](p[i : i + 1], g[i : i + 1], mask[i : i + 1]) for i in range(2)]
    )
    torch.testing.assert_close(METRICS[name](p, g, mask), alone)


def test_black_predictions_score_the_energy_of_the_truth() -> None:
    _, g, mask = pair()
    energy = (g.double().square() * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)))
    torch.testing.assert_close(metrics.si_mse(torch.zeros_like(g), g, mask), energy)
    torch.testing.assert_close(
        metrics.lmse(torch.zeros_like(g), g, mask), torch.ones(2, dtype=torch.float64)
    )


def test_by_hand() -> None:
    p, g = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.5, 0.5]]]])
    assert metrics.mse(p, g).item() == 0.25
    assert metrics.psnr(p, g).item() == pytest.approx(20 * math.log10(2))
    assert metrics.si_mse(p, g).item() == 0.125  # α = 0.5, left with (0, 0.5)


def test_local_scales_forgive_a_gradient_that_one_scale_does_not() -> None:
    _, g, _ = pair(1)
    ramp = torch.linspace(0.2, 1, 57)
    assert (
        metrics.lmse(g * ramp, g) < 0.3 * metrics.si_mse(g * ramp, g) / g.square().mean((1, 2, 3))
    ).all()


def test_windows_agree_with_the_loop_they_replace() -> None:
    p, g, mask = (x[:1].double() for x in pair(1))
    error, energy = 0.0, 0.0
    for y in range(0, 43 - 19, 10):
        for x in range(0, 57 - 19, 10):
            a, b, m = (t[..., y : y + 20, x : x + 20] for t in (p, g, mask))
            scale = (m * a * b).sum() / (m * a * a).sum()
            error += (m * (scale * a - b) ** 2).sum().item()
            energy += (m * b * b).sum().item()
    assert metrics.lmse(p, g, mask).item() == pytest.approx(error / energy)


def test_gray_prediction_is_repeated_and_small_images_are_one_window() -> None:
    p, g, _ = pair()
    torch.testing.assert_close(
        metrics.si_mse(p[:, :1], g), metrics.si_mse(p[:, :1].expand_as(g), g)
    )
    assert metrics.lmse(p[..., :7, :9], g[..., :7, :9]).isfinite().all()


def test_ssim_is_symmetric_and_one_for_equal_images() -> None:
    p, g, _ = pair()
    torch.testing.assert_close(metrics.ssim(p, g), metrics.ssim(g, p))
    torch.testing.assert_close(metrics.ssim(g, g), torch.ones(2, dtype=torch.float64))
    assert metrics.dssim_sintel(g * 0.3, g).abs().max() < 1e-9


def test_ssim_agrees_with_scikit_image() -> None:
    reference = pytest.importorskip("skimage.metrics").structural_similarity
    p, g, _ = pair(1)
    expected = reference(p[0, 0].numpy().astype(float), g[0, 0].numpy().astype(float), data_range=1)
    assert metrics.ssim(p, g)[0].item() == pytest.approx(expected, abs=1e-9)
