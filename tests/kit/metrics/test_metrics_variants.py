"""The published variants of local error and similarity: golden values, a second way to compute
them, properties."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit import metrics

FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"


def load(name: str) -> Mapping[str, Any]:
    with np.load(FIXTURES / f"{name}.npz") as file:
        return dict(file)


def pair(channels: int = 3, height: int = 43, width: int = 57) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.Generator().manual_seed(3)
    p, g = (torch.rand(2, channels, height, width, generator=made) for _ in range(2))
    return p, g, torch.rand(2, 1, height, width, generator=made) > 0.3


def test_barron_reference_number() -> None:
    ref = load("sintel")
    p, g = (torch.from_numpy(ref[key][..., :1]).permute(2, 0, 1)[None] for key in ("pred", "gt"))
    assert metrics.lmse_barron(p, g).item() == pytest.approx(0.009251, abs=5e-7)


def test_flow_reference_numbers() -> None:
    ref = load("arap")
    p, g, mask = (torch.from_numpy(ref[key]) for key in ("m_pred", "m_alb_gt", "m_mask"))
    zeroed = metrics.ssim(p, g, mask=mask).mean().item()
    assert zeroed == pytest.approx(float(ref["arap_orig_rgb_SSIM"]), abs=1e-6)
    assert metrics.si_mse(p, g, mask).mean().item() == pytest.approx(
        float(ref["arap_orig_rgb_SI_MSE"]), abs=1e-6
    )
    p, g = p[:1, :1], torch.from_numpy(ref["m_tgt"])[:1, :1]
    assert metrics.window_mse(p, g).item() == pytest.approx(float(ref["mit_lmse"]), abs=1e-6)


@pytest.mark.parametrize("gain", [0.05, 3.0])
@pytest.mark.parametrize("name", ["lmse_barron", "lmse_arap_1k", "dssim_masked"])
def test_scale_of_the_prediction_does_not_count(name: str, gain: float) -> None:
    p, g, mask = pair()
    found = getattr(metrics, name)
    torch.testing.assert_close(found(p * gain, g, mask), found(p, g, mask), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["lmse_barron", "lmse_arap_1k", "dssim_masked"])
def test_what_the_mask_leaves_out_does_not_count_and_batches_do_not_mix(name: str) -> None:
    p, g, mask = pair()
    found = getattr(metrics, name)
    spoilt = torch.where(mask, p, torch.full_like(p, 7.0))
    torch.testing.assert_close(found(spoilt, g, mask), found(p, g, mask))
    alone = torch.cat([found(p[i : i + 1], g[i : i + 1], mask[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(found(p, g, mask), alone)


def test_barron_agrees_with_the_loop_it_replaces() -> None:
    p, g, mask = (x[:1].double() for x in pair(1))
    error = energy = 0.0
    for top in (0, 9):
        for left in (0, 9):
            for y in range(top, 43, 20):
                for x in range(left, 57, 20):
                    a, b, m = (t[..., y : y + 20, x : x + 20] for t in (p, g, mask))
                    scale = (m * a * b).sum() / (m * a * a).sum()
                    error += (m * (scale * a - b) ** 2).sum().item()
                    energy += (m * b * b).sum().item()
    assert metrics.lmse_barron(p, g, mask).item() == pytest.approx(error / energy)


def test_windows_of_arap_1k_by_hand() -> None:
    """Longer side 20: windows of 2, one pixel apart. Two columns a factor apart inside every
    window's reach."""
    g = torch.ones(1, 1, 20, 20, dtype=torch.float64)
    p = g.clone()
    p[..., :, 10:] = 2
    # Starts 0..19, cut at the border; only those at column 9 straddle the step: α = 6/10, error
    # mean (.16 + .04)/2.
    assert metrics.lmse_arap_1k(p, g).item() == pytest.approx(0.1 / 20)
    below = g.clone()
    below[..., 19:, :] = 2
    # Those of row 18 straddle it, and those of row 19 are there, and even.
    assert metrics.lmse_arap_1k(below, g).item() == pytest.approx(0.1 / 20)
    hidden = torch.zeros_like(g)
    hidden[..., 12:] = 1
    assert metrics.lmse_arap_1k(p, g, hidden).item() < 1e-12  # empty windows are left out


def test_halves_of_a_pixel_are_rounded_up() -> None:
    """A tenth of 25 is a window of 3, and half of that a step of 2."""
    p, g, _ = (x[..., :25, :25] for x in pair())
    torch.testing.assert_close(metrics.lmse_sintel(p, g), metrics.lmse_sintel(p, g, 3, 2))


def test_window_mse_counts_scale_and_is_symmetric() -> None:
    p, g, _ = pair(1)
    torch.testing.assert_close(metrics.window_mse(p, g), metrics.window_mse(g, p))
    assert (metrics.window_mse(g * 0.5, g) > 0.05).all()
    even = torch.full_like(g, 0.25)
    assert metrics.window_mse(even * 2, even)[0].item() == pytest.approx(0.0625)


def test_gaussian_similarity_agrees_with_scikit_image() -> None:
    reference = pytest.importorskip("skimage.metrics").structural_similarity
    p, g, _ = pair(1)
    p, g = p.double(), g.double()
    scale = (p * g).sum((1, 2, 3), keepdim=True) / (p * p).sum((1, 2, 3), keepdim=True)
    _, whole = reference(
        (scale * p)[0, 0].numpy(),
        g[0, 0].numpy(),
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = (1 - whole[5:-5, 5:-5].mean()) / 2
    assert metrics.dssim_sintel(p, g)[0].item() == pytest.approx(expected, abs=1e-9)
    assert metrics.dssim_masked(g, g).abs().max() < 1e-12


def test_reconstruction_leaves_saturated_pixels_out() -> None:
    photo = torch.tensor([[[[0.5, 1.0]], [[0.5, 0.2]], [[0.5, 0.2]]]])
    assert metrics.reconstruction(photo * 0, photo).item() == pytest.approx(0.25)
    assert metrics.reconstruction(photo + 9, photo).item() == pytest.approx(
        0.25
    )  # the product is clipped at 1
    mean, rms = metrics.face_reconstruction(photo * 0, photo)
    lengths = 255 * np.sqrt([0.75, 1.08])
    assert mean.item() == pytest.approx(lengths.mean())
    assert rms.item() == pytest.approx(np.sqrt((lengths**2).mean()))


def test_constancy_is_symmetric_scale_free_and_zero_for_one_albedo() -> None:
    p, g, mask = pair()
    lights = torch.stack([g[0], g[0] * 0.3, g[0] * 5])
    assert metrics.albedo_constancy(lights, mask[0]).item() < 1e-12
    two = torch.stack([g[0], p[0]])
    elsewhere = torch.stack([g[0], torch.where(mask[0], g[0], p[0])])
    assert metrics.albedo_constancy(elsewhere, mask[0]).item() < 1e-12
    assert metrics.albedo_constancy(elsewhere).item() > 0.01
    torch.testing.assert_close(metrics.albedo_constancy(two), metrics.albedo_constancy(two.flip(0)))
    gains = torch.tensor([0.2, 7.0]).view(2, 1, 1, 1)
    torch.testing.assert_close(metrics.albedo_constancy(two * gains), metrics.albedo_constancy(two))
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    assert metrics.albedo_constancy(torch.stack([a, b]).view(2, 1, 1, 2)).item() == pytest.approx(
        0.5
    )
    assert metrics.albedo_constancy(torch.stack([a, a * 0]).view(2, 1, 1, 2)).item() == 1
