"""Squares to train on, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.crops import Window, cut, middle_window, random_window, resize

SIDE = 8


def case() -> Case:
    """A gray photo of a white thing in half light."""
    photo = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    truth = {"albedo": np.ones_like(photo), "shading": photo.copy()}
    return Case("gray", photo, truth, np.ones((SIDE, SIDE), bool))


def known_columns(given: Case, side: int = SIDE) -> list[int]:
    """The columns of the mask of the whole picture, all of whose rows agree."""
    mask = cut(given, Window(0, 0, SIDE), side, frozenset())["mask"][..., 0]
    assert (mask == mask[:1]).all()
    return np.flatnonzero(mask[0]).tolist()


def test_pictures_shrink_by_area_and_grow_bilinearly() -> None:
    lines = np.zeros((16, 16), np.float32)
    lines[:, ::4] = 1
    assert np.allclose(resize(lines, 4), 0.25)
    step = np.float32([[0, 1], [0, 1]])
    assert np.allclose(resize(step, 4)[0], (0, 0.25, 0.75, 1))


def test_clipped_pixels_and_deep_shadow_are_left_out() -> None:
    given = case()
    given.photo[:, 1, 0] = 1.0
    given.photo[:, 2] = 0.97
    given.truth["shading"][:, 4, 1] = 0.001
    given.truth["shading"][:, 5] = 0.003
    given.mask[:, 7] = False
    assert known_columns(given) == [0, 2, 3, 5, 6]


def test_a_pixel_is_known_if_all_of_it_is() -> None:
    given = case()
    given.mask[:, 3] = False
    assert known_columns(given, SIDE // 4) == [1]


@pytest.mark.parametrize(("height", "width"), [(10, 16), (16, 10), (9, 9)])
def test_windows_lie_in_the_picture(height: int, width: int) -> None:
    top, left, size = middle_window(height, width)
    assert size == min(height, width)
    assert (2 * top + size, 2 * left + size) == (height, width)
    rng = np.random.default_rng(0)
    windows = [random_window(height, width, rng) for _ in range(200)]
    assert {window.size for window in windows} == set(range(round(0.55 * size), size + 1))
    assert min(window.top for window in windows) == min(window.left for window in windows) == 0
    assert max(window.top + window.size for window in windows) == height
    assert max(window.left + window.size for window in windows) == width


def test_points_move_with_the_window() -> None:
    """In −1..1 of a photo of 8×16, and of the square of 4 from row 2 and column 8 on."""
    photo = np.full((8, 16, 3), 0.5, np.float32)
    points = np.float32([[0, -0.5, 1], [0.5, 0.5, 0], [-1, -1, 1]])
    given = Case("bird", photo, {}, np.ones((8, 16), bool), {"keypoints": points})
    moved = cut(given, Window(2, 8, 4), 4, frozenset({"keypoints"}))["keypoints"]
    assert np.allclose(moved, [[-1, -1, 1], [1, 1, 0], [-5, -2, 1]])
    assert np.allclose(points[0], (0, -0.5, 1)), "those of the case stay"
