"""What masks, thresholds and clipping do to errors, by hand."""

from __future__ import annotations

import pytest
import torch

from intrinsic_cli.kit import metrics
from intrinsic_cli.kit.metrics import smoothness

PHOTO = torch.tensor([[[[0.5, 0.5, 1.0]], [[0.5, 0.5, 0.2]], [[0.5, 0.5, 0.2]]]])
FIRST = torch.tensor([[[[1, 0, 1]]]])


def test_reconstruction_counts_what_is_masked_and_not_saturated() -> None:
    wrong = PHOTO.clone()
    wrong[..., 1] = 0
    assert metrics.reconstruction(wrong, PHOTO).item() == pytest.approx(0.125)
    assert metrics.reconstruction(wrong, PHOTO, FIRST).item() == 0, "the wrong pixel is masked out"
    wrong[..., 2] = 0
    assert metrics.reconstruction(wrong, PHOTO, FIRST).item() == 0, "and the last one is saturated"
    wrong[..., 0] = 0.3
    assert metrics.reconstruction(wrong, PHOTO, FIRST).item() == pytest.approx(0.04)
    assert metrics.reconstruction(wrong, PHOTO, FIRST.bool()).item() == pytest.approx(0.04)


def test_reconstruction_clips_the_product_at_both_ends() -> None:
    photo = torch.full((1, 3, 1, 2), 0.9)
    assert metrics.reconstruction(photo + 3, photo).item() == pytest.approx(0.01)
    assert metrics.reconstruction(photo - 3, photo).item() == pytest.approx(0.81)


def test_a_channel_close_below_white_is_not_saturated() -> None:
    photo = torch.full((1, 3, 1, 2), 0.985)
    photo[..., 1] = 0.995
    assert metrics.reconstruction(photo * 0, photo).item() == pytest.approx(0.985**2)


def test_faces_are_measured_in_their_mask() -> None:
    wrong = PHOTO.clone()
    wrong[..., 1] = 0
    mean, rms = metrics.face_reconstruction(wrong, PHOTO, FIRST)
    assert (mean.item(), rms.item()) == (0, 0)
    wrong[:, 0, :, 0] = 0.4
    mean, rms = metrics.face_reconstruction(wrong, PHOTO, FIRST)
    assert mean.item() == pytest.approx(25.5 / 2, rel=1e-5)
    assert rms.item() == pytest.approx(25.5 / 2**0.5, rel=1e-5)


def test_the_scaled_prediction_is_clipped_at_one() -> None:
    p, g = torch.tensor([[[[1.0, 4.0]]]]), torch.tensor([[[[0.5, 1.0]]]])
    alpha = 4.5 / 17
    assert metrics.si_mse(p, g, clip=True).item() == pytest.approx((alpha - 0.5) ** 2 / 2)
    assert metrics.si_mse(p, g).item() > metrics.si_mse(p, g, clip=True).item()


def test_a_dim_prediction_is_not_black() -> None:
    g = torch.full((1, 1, 20, 20), 0.5)
    assert metrics.si_mse(g * 0.01, g).item() == pytest.approx(0)
    assert metrics.lmse(g * 0.01, g).item() == pytest.approx(0, abs=1e-9)
    assert metrics.lmse(g * 1e-4, g).item() == 1, "its energy is below 1e-5"


def test_errors_of_perfect_windows_are_never_negative() -> None:
    made = torch.Generator().manual_seed(0)
    g = torch.rand(200, 3, 20, 20, generator=made)  # one window each, so that nothing evens out
    assert (metrics.lmse(g * 0.3, g) >= 0).all()


def test_thresholds_of_saw_rise_from_nothing_to_everything() -> None:
    for variant, count in (("saw-c", 400), ("saw-u", 400), ("saw-2017", 200), ("saw-o", 400)):
        levels = smoothness.thresholds(variant)
        assert len(levels) == count
        assert (levels.diff() >= 0).all(), variant
    levels = smoothness.thresholds("saw-2017")
    torch.testing.assert_close(levels + levels.flip(0), torch.ones_like(levels))


def test_the_challenge_sees_a_root_of_the_shading() -> None:
    shading = torch.tensor([0.25, 0.25, 1.0, 1.0], dtype=torch.float64).expand(1, 3, 4)
    labels = torch.full((3, 4), smoothness.SMOOTH)
    counted = smoothness.counts(shading, labels, "saw-u")[:, 2, 1]
    # ln(4 ** .4545) · 4 (Sobel's weights) = 2.52 at the two columns of the step, 0 beside it.
    levels = smoothness.thresholds("saw-u")
    assert counted[levels < 2.5].unique().tolist() == [6]
    assert counted[levels > 2.54].unique().tolist() == [12]


def test_regions_are_connected_by_corners() -> None:
    import numpy as np

    labels = np.full((12, 12), smoothness.IGNORED)
    labels[2:6, 2:6] = labels[6:10, 6:10] = smoothness.SMOOTH
    photo = np.zeros((12, 12, 3), np.float32)
    photo[:6] += np.linspace(0, 1, 12, dtype=np.float32)[:, None]
    weights = smoothness.smooth_weights(labels, photo)
    assert np.ptp(weights[labels == smoothness.SMOOTH]) < 1e-12
    assert weights[3, 3] > 0
