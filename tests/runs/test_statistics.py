"""Means and intervals, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.runs.evaluate.statistics import intervals, means, score_names


def cases(*values: float) -> list[dict[str, object]]:
    return [
        {"method": "m", "case": str(i), "seconds": 1.0, "lmse": value}
        for i, value in enumerate(values)
    ]


def test_means_are_over_the_cases_that_have_a_score() -> None:
    told = [*cases(1.0, 3.0), {"case": "x", "whdr": 0.5}]
    assert means(told) == {"lmse": 2.0, "whdr": 0.5, "seconds": 1.0}
    assert score_names(told) == ["lmse", "whdr", "seconds"]


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
    assert intervals(told)["whdr"] == (0.5, 0.5), "a score only some cases have"
