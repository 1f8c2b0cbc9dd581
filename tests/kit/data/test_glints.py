"""Highlights that are made up: where lights are mirrored, in their colour, never in shadow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.synth.glints import Gloss, direction_of, glint, random_gloss
from intrinsic_cli.kit.data.synth.scenes import MINIATURE
from intrinsic_cli.kit.data.synth.shards import Shards

SIDE = 101
MIDDLE = SIDE // 2


@pytest.fixture
def ball() -> Gloss:
    """The near half of a smooth ball that fills the picture, seen from far away."""
    y, x = 1 - 2 * np.indices((SIDE, SIDE)) / (SIDE - 1)
    x = -x
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    normals = np.stack([x, y, z], -1).astype(np.float32)
    back = np.zeros_like(normals)
    back[..., 2] = 1
    even = np.ones((SIDE, SIDE), np.float32)
    return Gloss(200 * even, 0.04 * even, normals, back)


def brightest(highlight: NDArray[np.float32]) -> tuple[int, int]:
    row, column = divmod(int(highlight.sum(-1).argmax()), SIDE)
    return row, column


def test_a_ball_mirrors_a_light_halfway_between_it_and_the_camera(ball: Gloss) -> None:
    light = np.ones((SIDE, SIDE, 3), np.float32)
    assert brightest(glint(ball, light, np.array((0.0, 0.0, 5.0)))) == (MIDDLE, MIDDLE)
    row, column = brightest(glint(ball, light, np.array((1.0, 0.0, 0.0))))
    expected = MIDDLE + np.sin(np.pi / 4) * MIDDLE
    assert row == MIDDLE
    assert column == pytest.approx(expected, abs=1.5), "x points right"
    row, _ = brightest(glint(ball, light, np.array((0.0, 1.0, 0.0))))
    assert row < MIDDLE, "y points up"


def test_it_has_the_colour_of_its_light_and_lies_in_no_shadow(ball: Gloss) -> None:
    light = np.ones((SIDE, SIDE, 3), np.float32) * (1.0, 0.5, 0.25)
    light = light.astype(np.float32)
    light[:, :MIDDLE] = 0
    highlight = glint(ball, light, np.array((0.0, 0.0, 1.0)))
    assert not highlight[:, :MIDDLE].any()
    assert np.allclose(highlight[MIDDLE, MIDDLE], 0.04 * 26 * light[MIDDLE, MIDDLE])


def test_smoother_things_have_smaller_and_brighter_highlights(ball: Gloss) -> None:
    light = np.ones((SIDE, SIDE, 3), np.float32)
    ahead = np.array((0.0, 0.0, 1.0))
    satin = glint(ball._replace(exponent=ball.exponent / 10), light, ahead)
    enamel = glint(ball, light, ahead)
    assert enamel.max() > 5 * satin.max()
    assert (enamel > 0.01).sum() < 0.5 * (satin > 0.01).sum()


def test_some_objects_shine_and_the_backdrop_never_does() -> None:
    scene = Shards(MINIATURE / "train")[0]
    whole = Window(0, 0, scene.side)
    rng = np.random.default_rng(0)
    drawn = [random_gloss(scene, whole, rng) for _ in range(8)]
    objects = scene.ids > 0
    shares = [float((gloss.mirrored[objects] > 0).mean()) for gloss in drawn]
    assert 0.1 < np.mean(shares) < 0.9
    for gloss in drawn:
        assert not gloss.mirrored[~objects].any()
        length = np.linalg.norm(gloss.normals, axis=-1)
        assert np.allclose(length[objects], 1, atol=1e-3)
        assert gloss.back[0, 0, 0] > 0, "the camera is to the right of what is at the left"
        assert gloss.back[0, 0, 1] < 0


def test_the_direction_of_a_light_is_that_of_its_linear_harmonics() -> None:
    harmonics = np.zeros((9, 3))
    harmonics[1], harmonics[2], harmonics[3] = 0.2, 0.3, 0.1
    assert direction_of(harmonics) == pytest.approx((0.1, 0.2, 0.3))
