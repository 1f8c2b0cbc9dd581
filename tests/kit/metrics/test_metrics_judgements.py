"""WHDR and SAW: hand-worked judgements, recorded counts, properties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.kit.metrics import Judgements, smoothness, whdr

FIXTURES = Path(__file__).parents[2] / "fixtures" / "metrics"


def judged(*pairs: tuple[float, float, int, float]) -> Judgements:
    """Judgements between columns of a one-row picture: x of the first, x of the second, verdict,
    weight."""
    points = torch.tensor([[[a, 0.5], [b, 0.5]] for a, b, _, _ in pairs])
    darker, weights = (torch.tensor([pair[i] for pair in pairs]) for i in (2, 3))
    return Judgements(points, darker, weights)


ROW = torch.tensor([[[0.10, 0.105, 0.20, 0.0]]]).expand(
    3, 1, 4
)  # four columns at x = .1, .3, .6, .9


def test_whdr_by_hand() -> None:
    right = judged((0.1, 0.3, 0, 1.0), (0.1, 0.6, 1, 2.0), (0.6, 0.1, 2, 1.0), (0.9, 0.1, 1, 1.0))
    assert whdr(ROW, right).item() == 0
    wrong = judged((0.1, 0.3, 1, 1.0), (0.1, 0.6, 1, 3.0))
    assert whdr(ROW, wrong).item() == 0.25
    assert whdr(ROW, wrong, delta=0.04).item() == 0
    assert whdr(ROW, right, delta=2.0).item() == pytest.approx(3 / 5)


def test_whdr_of_codes_is_more_forgiving_than_of_light() -> None:
    between = judged((0.1, 0.3, 0, 1.0))
    row = torch.tensor([[[0.10, 0.115]]]).expand(3, 1, 2)
    pair = judged((0.2, 0.8, 0, 1.0))
    assert whdr(row, pair).item() == 1
    assert whdr(row, pair, encoded=True).item() == 0
    assert whdr(ROW, between).item() == whdr(ROW, between, encoded=True).item()


@pytest.mark.parametrize("gain", [0.1, 30.0])
def test_whdr_knows_no_scale_and_swapping_a_pair_swaps_the_verdict(gain: float) -> None:
    made = torch.Generator().manual_seed(0)
    albedo, points = torch.rand(3, 20, 30, generator=made), torch.rand(50, 2, 2, generator=made)
    darker, weights = torch.randint(0, 3, (50,), generator=made), torch.rand(50, generator=made)
    score = whdr(albedo, Judgements(points, darker, weights))
    assert whdr(albedo * gain, Judgements(points, darker, weights)).item() == pytest.approx(
        score.item()
    )
    mirrored = torch.tensor([0, 2, 1])[darker]
    assert whdr(albedo, Judgements(points.flip(1), mirrored, weights)).item() == pytest.approx(
        score.item()
    )


def test_saw_o_reference_counts() -> None:
    with np.load(FIXTURES / "saw.npz") as ref:
        p, g = (torch.from_numpy(ref[name]) for name in ("saw_pred", "saw_gt"))
        counted = smoothness.counts_saw_o(p, g)
        assert np.array_equal(counted.numpy(), ref["saw_cm"])
        area = smoothness.average_precision(
            *smoothness.curve(counted, balanced=False, undefined=0.0)
        )
        assert area.item() == pytest.approx(float(ref["saw_ap"]), abs=1e-6)


def scene() -> tuple[Tensor, Tensor]:
    """Shading with one step, smooth elsewhere; the step is labelled a shadow boundary."""
    shading = torch.full((1, 40, 60), 0.2)
    shading[..., 30:] = 0.8
    labels = torch.full((40, 60), smoothness.IGNORED)
    labels[5:35, 5:20] = labels[5:35, 45:55] = smoothness.SMOOTH
    labels[5:35, 29:31] = smoothness.SHADOW
    labels[:3] = smoothness.SHARP  # there is none: a wrong annotation
    return shading, labels


@pytest.mark.parametrize("variant", ["saw-c", "saw-u", "saw-2017"])
def test_the_true_shading_is_smooth_where_it_should_be(variant: smoothness.Variant) -> None:
    shading, labels = scene()
    labels[:3] = smoothness.IGNORED
    counted = smoothness.counts(shading, labels, variant)
    assert counted.shape == (len(smoothness.thresholds(variant)), 3, 2)
    assert counted[0].sum(1).tolist() == [0, 60, 750]
    precision, recall = smoothness.curve(counted)
    assert precision[0] == recall[0] == 1
    flat = smoothness.counts(torch.full_like(shading, 0.5), labels, variant)
    assert smoothness.curve(flat)[0][0].item() == pytest.approx(
        2 / 3
    )  # everything smooth: weights 1 and 2


def test_rows_are_balanced_and_smooth_counts_twice() -> None:
    counted = torch.tensor([[[8.0, 2.0], [0.0, 0.0], [1.0, 3.0]]])
    precision, recall = smoothness.curve(counted)
    assert (precision.item(), recall.item()) == (pytest.approx(1.5 / 1.7), 0.75)
    precision, _ = smoothness.curve(counted, balanced=False)
    assert precision.item() == pytest.approx(6 / 8)


def test_area_by_hand() -> None:
    precision, recall = (
        torch.tensor([1.0, 0.8], dtype=torch.float64),
        torch.tensor([0.5, 0.9], dtype=torch.float64),
    )
    area = smoothness.average_precision(precision, recall).item()
    assert area == pytest.approx(0.5 + 0.4 * 0.9 + 0.1 * 0.65)
    assert smoothness.precision_at(precision, recall, 0.7).item() == pytest.approx(0.9)


def test_scale_of_the_shading_does_not_count_in_the_challenge() -> None:
    shading = torch.rand(1, 40, 60, generator=torch.Generator().manual_seed(1)) + 0.1
    labels = scene()[1]
    torch.testing.assert_close(
        smoothness.counts(shading, labels), smoothness.counts(shading * 0.3, labels)
    )


def test_hard_regions_weigh_more() -> None:
    labels = scene()[1].numpy()
    photo = np.full((40, 60, 3), 0.5, np.float32)
    photo[:, :20] += np.linspace(0, 0.4, 20, dtype=np.float32)[:, None]
    weights = smoothness.smooth_weights(labels, photo)
    assert np.ptp(weights[5:35, 5:20]) < 1e-12 < weights[6, 6]
    assert weights[labels != smoothness.SMOOTH].max() == 0
    assert weights[6, 50] < 1e-6
    shading = torch.rand(1, 40, 60, generator=torch.Generator().manual_seed(1))
    counted = smoothness.counts(
        shading, torch.from_numpy(labels), weights=torch.from_numpy(weights)
    )
    assert counted[0, 2].sum().item() == pytest.approx(weights.sum())


def test_sobel_agrees_with_scipy() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    x = np.random.default_rng(0).random((30, 41))
    expected = np.hypot(ndimage.sobel(x, 0), ndimage.sobel(x, 1))
    assert np.abs(smoothness.sobel(torch.from_numpy(x)).numpy() - expected).max() < 1e-12
    ours = smoothness._max_filter(torch.from_numpy(x), 10).numpy()
    assert np.array_equal(ours, ndimage.maximum_filter(x, 10))
