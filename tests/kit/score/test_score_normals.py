"""Angles of normals by hand: of one photo, and pooled over all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score.normals import NormalsPool, normals_scores


def faces_case(angles: Any, mask: Any) -> tuple[Case, dict[str, Any]]:
    """Normals of a row of pixels that are off by ``angles`` degrees."""
    turned = np.deg2rad(np.asarray(angles, np.float64))[None]
    truth = np.zeros((1, turned.size, 3), np.float32)
    truth[..., 2] = 1
    guess = np.stack([np.sin(turned), 0 * turned, np.cos(turned)], -1)
    photo = np.full((1, turned.size, 3), 0.5, np.float32)
    return Case("row", photo, {"normals": truth}, np.asarray(mask, bool)[None]), {"normals": guess}


def test_normals_by_hand() -> None:
    case, answer = faces_case([1, 2, 21, 90], [1, 1, 1, 0])
    scores = normals_scores(case, answer)
    assert scores["normals_angle_mean"] == pytest.approx(8)
    assert scores["normals_angle_median"] == pytest.approx(2)
    assert scores["normals_angle_rmse"] == pytest.approx(np.sqrt((1 + 4 + 441) / 3))
    assert scores["normals_within_20"] == pytest.approx(200 / 3)


def test_pooled_normals_are_of_all_pixels_and_not_of_photos() -> None:
    pool = NormalsPool()
    # Nine pixels of one photo and one of another: means of photos would weigh them alike.
    for angles in ([3.02] * 5 + [12.33] * 2 + [20.4, 50.01, 50.01], [80.0]):
        case, answer = faces_case(angles, [1] * len(angles))
        pool.add(case, answer, {})
    scores = pool.scores()
    every = np.array([3.02] * 5 + [12.33] * 2 + [20.4, 50.01, 50.01, 80.0])
    assert scores["normals_pooled_angle_mean"] == pytest.approx(every.mean(), abs=1e-3)
    assert scores["normals_pooled_angle_median"] == pytest.approx(12.33, abs=0.025)
    assert scores["normals_pooled_angle_rmse"] == pytest.approx(np.sqrt((every**2).mean()), 1e-4)
    assert scores["normals_pooled_angle_std"] == pytest.approx(every.std(), abs=1e-3)
    assert scores["normals_pooled_within_11.25"] == pytest.approx(100 * 5 / 11)
    assert scores["normals_pooled_within_20"] == pytest.approx(100 * 7 / 11)
    assert scores["normals_pooled_within_22.5"] == pytest.approx(100 * 8 / 11)
    masked = NormalsPool()
    case, answer = faces_case([10, 80], [1, 0])
    masked.add(case, answer, {})
    assert masked.scores()["normals_pooled_angle_mean"] == pytest.approx(10, abs=1e-3)


def test_the_pooled_median_lies_in_the_middle() -> None:
    pool = NormalsPool()
    for first in (0, 20, 40, 60):
        angles = [first + step + 0.52 for step in range(20)]
        case, answer = faces_case(angles, [1] * len(angles))
        pool.add(case, answer, {})
    case, answer = faces_case([80.52], [1])
    pool.add(case, answer, {})
    assert pool.scores()["normals_pooled_angle_median"] == pytest.approx(40.52, abs=0.025)
