"""Lights of training photos: their colours, the shadows thrown into them, the cameras that see
them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.synth.camera import Camera, everyday
from intrinsic_cli.kit.data.synth.lighting import Lighting, random_lighting
from intrinsic_cli.kit.data.synth.patterns import DRAWN
from intrinsic_cli.kit.data.synth.shadows import random_shadow
from intrinsic_cli.kit.data.synth.shards import SHADING, Scene
from intrinsic_cli.kit.data.synth.warmth import warmed

SIDE = 48
WHOLE = Window(0, 0, SIDE)


def flat(code: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), code, np.uint8)


def two_lights() -> Scene:
    """A gray wall and a gray floor under two even lights."""
    ids = np.ones((SIDE, SIDE), np.uint8)
    ids[SIDE // 2 :] = 2
    lights = [{"sh9": np.ones((9, 3)).tolist()}] * 2
    shadings = (flat(120), flat(140))
    return Scene("made", {"lights": lights}, (flat(128),), shadings, {}, flat(128), ids)


def chroma(lighting: Lighting) -> NDArray[np.float64]:
    """Log red over blue of every pixel."""
    red, blue = lighting.shading[..., 0], lighting.shading[..., 2]
    return np.asarray(np.log(red / blue), np.float64)


@pytest.mark.parametrize("draw", DRAWN)
def test_a_flat_pattern_has_light_and_shade(draw: object) -> None:
    assert callable(draw)
    seen = [draw(np.random.default_rng(seed)) for seed in range(8)]
    assert all(pattern.min() >= 0 and pattern.max() <= 1 for pattern in seen)
    assert sum(pattern.std() > 0.1 for pattern in seen) >= 6


def test_patterns_are_shares_and_differ() -> None:
    ids = two_lights().ids
    seen = [random_shadow(ids, np.random.default_rng(seed)) for seed in range(20)]
    assert all(pattern.shape == (SIDE, SIDE) for pattern in seen)
    assert all(pattern.min() >= 0 and pattern.max() <= 1 for pattern in seen)
    assert len({pattern.tobytes() for pattern in seen}) > 10


def test_some_patterns_break_where_an_object_ends() -> None:
    one, two = np.ones((SIDE, SIDE), np.uint8), two_lights().ids
    broken = 0
    for seed in range(30):
        whole = random_shadow(one, np.random.default_rng(seed))
        apart = random_shadow(two, np.random.default_rng(seed))
        assert np.allclose(whole[: SIDE // 4], apart[: SIDE // 4], atol=0.2)
        broken += not np.allclose(whole, apart, atol=0.01)
    assert 5 < broken < 25


def test_plain_light_is_even_where_its_layers_are() -> None:
    for seed in range(10):
        light = random_lighting(two_lights(), WHOLE, np.random.default_rng(seed), plain=True)
        assert np.ptp(light.shading[..., 1]) < 1e-6


def test_thrown_shadows_dim_a_part_of_the_picture_and_no_light_turns_black() -> None:
    shaded = 0
    for seed in range(40):
        light = random_lighting(two_lights(), WHOLE, np.random.default_rng(seed))
        assert np.isfinite(light.shading).all()
        assert light.shading.min() > 0
        shaded += np.ptp(light.shading[..., 1]) > 0.05
    assert 8 < shaded < 30


def test_lights_of_one_photo_can_have_two_colours() -> None:
    spreads = []
    for seed in range(60):
        light = random_lighting(two_lights(), WHOLE, np.random.default_rng(seed))
        spreads.append(np.ptp(chroma(light)))
    assert max(spreads) > 0.2


def test_harmonics_follow_the_strength_of_the_lights() -> None:
    light = random_lighting(two_lights(), WHOLE, np.random.default_rng(3), plain=True)
    expected = np.linalg.lstsq(
        np.stack([SHADING[[120, 120, 120]], SHADING[[140, 140, 140]]]).T,
        light.shading[0, 0],
        rcond=None,
    )[0]
    assert light.harmonics is not None
    assert light.harmonics.shape == (9, 3)
    assert light.harmonics.sum() / 27 == pytest.approx(expected.sum(), rel=0.2)


def test_the_cast_is_the_colour_of_the_light_where_it_is_known() -> None:
    shading = np.ones((4, 4, 3), np.float32)
    shading[:2] = (2, 1, 0.6)
    known = np.zeros((4, 4), bool)
    known[0] = True
    light = Lighting(shading, np.zeros_like(shading), None)
    assert np.allclose(light.cast(known), np.array([2, 1, 0.6]) / 1.2)
    assert np.allclose(light.cast(np.zeros((4, 4), bool)), 1)


def test_white_balance_takes_out_a_part_of_a_cast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{everyday.__module__}._ASTRAY", 0)
    cast = np.array([1.4, 1.0, 0.6])
    left = []
    for seed in range(40):
        camera = everyday(Camera(np.ones(3, np.float32)), cast, np.random.default_rng(seed))
        seen = camera.gain * cast
        left.append(np.log(seen[0] / seen[2]) / np.log(1.4 / 0.6))
    assert 0 <= min(left) < 0.2
    assert 0.8 < max(left) <= 1.0001


def test_half_of_the_photos_have_a_wrong_white_balance() -> None:
    usual = Camera(np.ones(3, np.float32))
    seen = [everyday(usual, np.ones(3), np.random.default_rng(seed)) for seed in range(400)]
    logarithms = np.log([camera.gain for camera in seen])
    warmth = logarithms[:, 0] - logarithms[:, 2]
    wrong = np.abs(warmth) > 1e-6
    assert 0.4 < wrong.mean() < 0.6
    assert 0.3 < warmth[wrong].std() < 0.5
    assert abs(warmth[wrong].mean()) < 0.1


def test_one_photo_in_seven_is_too_dark() -> None:
    usual = Camera(np.ones(3, np.float32), quality=80)
    seen = [everyday(usual, np.ones(3), np.random.default_rng(seed)) for seed in range(300)]
    brightness = np.array([camera.gain.mean() for camera in seen])
    assert 20 < (brightness < 0.75).sum() < 70
    assert brightness.min() > 0.08
    assert all(camera.quality == 80 for camera in seen)


def test_the_sun_is_warmer_than_the_sky_in_most_photos() -> None:
    weights = np.ones((3, 3), np.float32)
    kinds = ("sun", "env", "lamp")
    colours = [warmed(weights, kinds, None, np.random.default_rng(seed)) for seed in range(200)]
    warmth = np.log([colour[:, 0] / colour[:, 2] for colour in colours])
    coloured = np.ptp(warmth, axis=1) > 0
    assert 0.5 < coloured.mean() < 0.8
    sun, sky, lamp = warmth[coloured].T
    assert 0.8 < (sun > sky).mean() < 1
    assert 0.6 < (lamp > sun).mean() < 1
    assert abs(warmth.mean()) < 0.1


def test_what_throws_shadows_is_the_warmest_light_more_often_than_not() -> None:
    weights = np.ones((2, 3), np.float32)
    kinds = ("env", "lamp")
    colours = [warmed(weights, kinds, 0, np.random.default_rng(seed)) for seed in range(200)]
    warmth = np.log([colour[:, 0] / colour[:, 2] for colour in colours])
    coloured = np.ptp(warmth, axis=1) > 0
    assert 0.55 < (warmth[coloured, 0] > warmth[coloured, 1]).mean() < 0.9
