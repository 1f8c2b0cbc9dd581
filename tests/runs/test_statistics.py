"""Means, intervals and directions, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.runs.evaluate.statistics import better, figures_of, intervals, means, unit


def cases(*values: float) -> list[dict[str, object]]:
    return [
        {"method": "m", "case": str(i), "seconds": 1.0, "lmse": value}
        for i, value in enumerate(values)
    ]


def test_means_are_over_the_cases_that_have_a_figure() -> None:
    told = [*cases(1.0, 3.0), {"case": "x", "whdr": 0.5}]
    assert means(told) == {"lmse": 2.0, "whdr": 0.5, "seconds": 1.0}
    assert figures_of(told) == ["lmse", "whdr", "seconds"]


def test_intervals_agree_with_the_normal_law() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, 400)
    low, high = intervals(cases(*values))["lmse"]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_intervals_are_reproducible_and_move_with_the_seed() -> None:
    told = cases(*np.random.default_rng(0).random(9))
    assert intervals(told, 3) == intervals(told, 3)
    assert intervals(told, 3) != intervals(told, 4)
    assert "seconds" not in intervals(told)


def test_intervals_hold_the_mean_and_need_two_images() -> None:
    assert intervals(cases(1.0)) == {}
    assert intervals([]) == {}
    assert intervals(cases(0.25, 0.25))["lmse"] == (0.25, 0.25)
    told = [*cases(1, 2, 3, 4), {"case": "x", "whdr": 0.5}]
    assert intervals(told)["whdr"] == (0.5, 0.5), "a figure only some cases have"


@pytest.mark.parametrize(
    ("figure", "way"),
    [
        *[
            ("lmse", -1),
            ("albedo_si_mse", -1),
            ("shading_dssim", -1),
            ("whdr_20", -1),
            ("seconds", -1),
        ],
        *[
            ("albedo_ssim", 1),
            ("ap", 1),
            ("normals_pooled_within_20", 1),
            ("iou", 1),
            ("brightness", 0),
        ],
        *[("normals_angle_mean", -1), ("mask_error", -1), ("constancy", -1)],
    ],
)
def test_which_way_is_better(figure: str, way: int) -> None:
    assert better(figure) == way


def test_units() -> None:
    assert [unit(name) for name in ("psnr", "normals_angle_mean", "seconds", "lmse")] == [
        "dB",
        "°",
        "",
        "",
    ]
