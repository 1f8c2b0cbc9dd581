"""Keypoints carried over pairs of photos: by hand, and through the pool of a protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score.birds import BIRDS
from intrinsic_cli.kit.score.keypoints import (
    ProjectedTemplate,
    TransferPool,
    by_flow,
    by_vertex,
    covered_pixels,
    projected_template,
    random_pairs,
)
from intrinsic_cli.kit.score.scoring import score_case

NOWHERE = torch.zeros(0, 2, dtype=torch.float64)


def points(*places: tuple[float, float]) -> Tensor:
    return torch.tensor(places, dtype=torch.float64)


def bird(name: str, *keypoints: tuple[float, float, float]) -> Case:
    photo = np.zeros((8, 8, 3), np.float32)
    facts = {"keypoints": np.array(keypoints)}
    truth = {"silhouette": np.ones((8, 8, 1), np.float32)}
    return Case(name, photo, truth, np.ones((8, 8), bool), facts)


def shift_pool(**more: Any) -> TransferPool[Tensor]:
    """A method that answers with how far the bird stands to the right and below."""

    def carry(found: Tensor, source: Tensor, target: Tensor) -> Tensor:
        return found - source + target

    return TransferPool(lambda case, answer: answer.get("place"), carry, **more)


def test_a_point_goes_to_its_vertex_and_then_to_the_nearest_pixel_of_the_other_bird() -> None:
    source = ProjectedTemplate(points((-0.5, 0), (0.5, 0.1)), NOWHERE)
    target = ProjectedTemplate(points((0.9, 0.9), (-0.2, 0.4)), NOWHERE)
    carried = by_vertex(points((0.4, 0.2), (-0.3, 0)), source, target)
    assert carried.tolist() == [[-0.2, 0.4], [0.9, 0.9]]
    inside = ProjectedTemplate(target.vertices, points((0, 0), (0.5, 0.5)))
    assert by_vertex(points((0.4, 0.2), (-0.3, 0)), source, inside).tolist() == [
        [0, 0],
        [0.5, 0.5],
    ]


def test_a_point_goes_with_the_face_whose_texels_lie_around_it() -> None:
    source = torch.stack([points((0.5, 0.5), (0.52, 0.5)), points((-0.5, 0), (-0.5, 0.02))])
    target = torch.stack([points((0, 0), (0.2, 0.4)), points((0.6, -0.6), (0.8, -0.6))])
    carried = by_flow(points((0.51, 0.49), (-0.5, 0.01)), source, target)
    torch.testing.assert_close(carried, points((0.1, 0.2), (0.7, -0.6)))
    # One texel right on the point and one far off are less than two close to it.
    split = torch.stack([points((0, 0), (1, 1)), points((0.005, 0), (0, 0.005))])
    assert by_flow(points((0, 0)), split, target)[0].tolist() == pytest.approx([0.7, -0.6])


def test_the_share_of_correct_points_is_over_pairs_in_both_directions() -> None:
    pool = shift_pool()
    assert pool.scores() == {}
    # Both points of all birds are found again, but the second of the last is off by .24 · 1.05 / 2.
    for name, dx, off in (("a", 0.0, 0.0), ("b", 0.3, 0.0), ("c", -0.2, 0.24)):
        case = bird(name, (dx, 0, 1), (dx, 0.5 + off, 1), (0.9, 0.9, 0))
        pool.add(case, {"place": points((dx, 0))}, {})
    scores = pool.scores()
    assert list(scores) == ["pck", "pck_15"]
    assert scores["pck"] == pytest.approx((1 + 2 / 6) / 2)
    assert scores["pck_15"] == 1


def test_points_count_where_both_birds_show_them() -> None:
    pool = shift_pool()
    pool.add(bird("a", (0, 0, 1), (0, 0.5, 1)), {"place": points((0, 0))}, {})
    pool.add(bird("b", (0, 0, 1), (0.9, 0.9, 0)), {"place": points((0, 0))}, {})
    assert pool.scores()["pck"] == 1
    blind = shift_pool()
    for name, seen in (("a", 1), ("b", 0)):
        blind.add(bird(name, (0, 0, seen)), {"place": points((0, 0))}, {})
    assert blind.scores() == {}, "no point is seen twice"


def test_the_direction_of_a_transfer_matters() -> None:
    def first_only(found: Tensor, source: Tensor, target: Tensor) -> Tensor:
        return target.expand_as(found)

    pool = TransferPool(lambda case, answer: answer["place"], first_only)
    pool.add(bird("a", (0.5, 0.5, 1)), {"place": points((0.5, 0.5))}, {})
    pool.add(bird("b", (-0.5, -0.5, 1)), {"place": points((0.5, 0.5))}, {})
    assert pool.scores()["pck"] == 0.5, "b → a is right, a → b is not"


def test_photos_without_points_or_places_are_passed_over() -> None:
    pool = shift_pool()
    nothing = Case("x", np.zeros((8, 8, 3), np.float32), {}, np.ones((8, 8), bool))
    pool.add(nothing, {"place": points((0, 0))}, {})
    pool.add(bird("a", (0, 0, 1)), {}, {})
    pool.add(bird("b", (0, 0, 1)), {"place": points((0, 0))}, {})
    assert pool.scores() == {}


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


def test_birds_are_pooled_from_records_and_silhouettes() -> None:
    assert BIRDS.pool is not None
    pool = BIRDS.pool()
    for name, dx in (("a", 0.0), ("b", 0.5)):
        case = bird(name, (dx - 0.5, 0, 1))
        places = [[dx - 0.5, 0.0], [dx + 0.2, 0.0]]
        answer = {"mask": np.ones((8, 8, 1), np.float32), "projection": {"vertices": places}}
        scores = score_case(BIRDS, case, answer)
        assert scores["iou"] == 1
        pool.add(case, answer, scores)
    # Pixels are an eighth of the photo wide: half of that, twice, is .0656 of the box at the most.
    assert pool.scores() == {"pck": 1.0, "pck_15": 1.0}
    assert projected_template(bird("c"), {}) is None


@pytest.mark.parametrize(("distance", "face"), [(0.03, 0), (0.02, 1)])
def test_near_is_what_lies_within_three_pixels(distance: float, face: int) -> None:
    """One face has a texel at the point and one far away, a mean of half; both texels of the other
    lie beside it: exp(-.82) of the heat is less than half, exp(-.36) is more."""
    near = torch.tensor([[[0, 0], [0, 1]], [[distance, 0], [-distance, 0]]], dtype=torch.float64)
    places = torch.tensor([[[0.1, 0.1]] * 2, [[0.7, 0.7]] * 2], dtype=torch.float64)
    carried = by_flow(points((0, 0)), near, places)
    assert carried.tolist() == [[[0.1, 0.1], [0.7, 0.7]][face]]
