"""Faces brought into one square."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iid_residual.faces.template import TEMPLATE, Pose, pose_of


def _placed(pose: Pose) -> np.ndarray:
    """The template's points in a picture, as the pose puts them there."""
    turn = math.radians(pose.angle)
    right, down = (np.asarray(TEMPLATE) - 0.5).T * pose.side
    x = pose.x + math.cos(turn) * right + math.sin(turn) * down
    y = pose.y - math.sin(turn) * right + math.cos(turn) * down
    return np.stack([x, y], axis=1)


@pytest.mark.parametrize("angle", [0.0, 30.0, -75.0])
def test_the_pose_of_a_placed_template_is_found_again(angle: float) -> None:
    pose = Pose(120.0, 90.0, 64.0, angle)
    found = pose_of(_placed(pose))
    assert (found.x, found.y, found.side, found.angle) == pytest.approx((120, 90, 64, angle))


def test_a_face_turned_counter_clockwise_has_its_right_eye_higher() -> None:
    points = _placed(Pose(0.0, 0.0, 100.0, 20.0))
    assert points[1, 1] < points[0, 1]


def test_the_matrix_takes_the_squares_pixels_to_the_pictures() -> None:
    pose = Pose(50.0, 40.0, 20.0, 25.0)
    matrix = pose.matrix(10)
    for place, point in zip(TEMPLATE, _placed(pose), strict=True):
        column, row = place[0] * 10 - 0.5, place[1] * 10 - 0.5
        assert matrix @ [column, row, 1] + 0.5 == pytest.approx(point)


def test_the_square_leaves_room_about_the_face() -> None:
    points = np.asarray(TEMPLATE)
    assert 3 < 1 / (points[1, 0] - points[0, 0]) < 4.5
    assert points[:2, 1].mean() > 0.35
    assert points[3:, 1].mean() < 0.8
