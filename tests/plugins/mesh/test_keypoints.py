"""Keypoints carried over pairs of photos, and the share of them that is found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_mesh.keypoints import Transfers, covered_pixels, random_pairs


def points(*places: tuple[float, ...]) -> Tensor:
    return torch.tensor(places, dtype=torch.float64)


def shifts(**more: Any) -> Transfers[Tensor]:
    """A method that answers with how far the bird stands to the right and below."""

    def carry(found: Tensor, source: Tensor, target: Tensor) -> Tensor:
        return found - source + target

    return Transfers(carry, **more)


def test_the_share_of_correct_points_is_over_pairs_in_both_directions() -> None:
    pool = shifts()
    assert pool.scores() == {}
    # Both points of all birds are found again, but the second of the last is off by .24 · 1.05 / 2.
    for dx, off in ((0.0, 0.0), (0.3, 0.0), (-0.2, 0.24)):
        marked = points((dx, 0, 1), (dx, 0.5 + off, 1), (0.9, 0.9, 0))
        pool.add(marked, points((dx, 0)))
    scores = pool.scores()
    assert list(scores) == ["pck", "pck_15"]
    assert scores["pck"] == pytest.approx((1 + 2 / 6) / 2)
    assert scores["pck_15"] == 1


def test_points_count_where_both_birds_show_them() -> None:
    pool = shifts()
    pool.add(points((0, 0, 1), (0, 0.5, 1)), points((0, 0)))
    pool.add(points((0, 0, 1), (0.9, 0.9, 0)), points((0, 0)))
    assert pool.scores()["pck"] == 1
    blind = shifts()
    for seen in (1, 0):
        blind.add(points((0, 0, seen)), points((0, 0)))
    assert blind.scores() == {}, "no point is seen twice"


def test_the_direction_of_a_transfer_matters() -> None:
    def to_target(found: Tensor, source: Tensor, target: Tensor) -> Tensor:
        return target.expand_as(found)

    pool = Transfers(to_target)
    pool.add(points((0.5, 0.5, 1)), points((0.5, 0.5)))
    pool.add(points((-0.5, -0.5, 1)), points((0.5, 0.5)))
    assert pool.scores()["pck"] == 0.5, "b → a is right, a → b is not"
    assert pool.carried(0, 1).tolist() == [[0.5, 0.5]]
    assert len(pool) == 2


def test_pairs_are_all_or_a_fixed_draw() -> None:
    assert random_pairs(4, 6, 0) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert random_pairs(0, 9, 0) == random_pairs(1, 9, 0) == []
    drawn = random_pairs(50, 200, 3)
    assert len(drawn) == 200
    assert drawn == random_pairs(50, 200, 3) != random_pairs(50, 200, 4)
    assert all(first != second and 0 <= second < 50 for first, second in drawn)
    assert {number for pair in drawn for number in pair} == set(range(50))


def test_the_middles_of_covered_pixels() -> None:
    mask = np.zeros((2, 4, 1), np.float32)
    mask[1, 0], mask[0, 3] = 0.01, 1
    assert covered_pixels(mask).tolist() == [[0.75, -0.5], [-0.75, 0.5]]
