"""How a training photo is made of a rendered scene, on scenes small enough to be worked out by
hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.synth import compose as composing
from intrinsic_cli.kit.data.synth.camera import Camera
from intrinsic_cli.kit.data.synth.compose import _paints, compose
from intrinsic_cli.kit.data.synth.scenes import Synth, open_synth
from intrinsic_cli.kit.data.synth.shards import ALBEDO, SHADING, Scene
from intrinsic_cli.kit.light.colour import linear_to_srgb

SIDE = 12
HARMONICS = np.arange(1, 28, dtype=float).reshape(9, 3) / 10


def codes(*colour: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


def scene(**more: Any) -> Scene:
    """Two objects, above and below, and a column of nothing on the left."""
    ids = np.ones((SIDE, SIDE), np.uint8)
    ids[SIDE // 2 :] = 2
    ids[:, 0] = 0
    parts = {
        "albedos": (codes(180, 120, 60),),
        "shadings": (codes(130, 130, 130),),
        "highlights": {},
        "normals": codes(255, 128, 128),
        "ids": ids,
        **more,
    }
    lights = [{"sh9": HARMONICS.tolist()}] * len(parts["shadings"])
    return Scene(key="made", meta={"lights": lights, "category": "object"}, **parts)


def made(
    monkeypatch: pytest.MonkeyPatch, seen: Scene, *gain: float, plain: bool = True
) -> Mapping[str, Any]:
    """What is composed where the camera only multiplies by ``gain``."""
    camera = Camera(np.array(gain, np.float32))
    monkeypatch.setattr(composing, "random_camera", lambda *given: camera)
    whole = Window(0, 0, SIDE)
    return compose(seen, np.random.default_rng(0), whole, SIDE, plain=plain)


def test_shading_has_the_exposure_of_the_photo_and_albedo_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once = made(monkeypatch, scene(), 1, 1, 1)
    half = made(monkeypatch, scene(), 0.5, 0.25, 0.5)
    assert np.allclose(once["albedo"], ALBEDO[codes(180, 120, 60)], atol=1e-5)
    assert np.allclose(half["albedo"], once["albedo"], atol=1e-5)
    assert np.allclose(half["shading"], once["shading"] * np.float32([0.5, 0.25, 0.5]))
    assert np.allclose(half["photo"], half["albedo"] * half["shading"], atol=0.004)


def test_highlights_are_in_the_photo_and_in_what_counts_as_albedo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dull = made(monkeypatch, scene(), 0.5, 0.5, 0.5)
    shiny = made(monkeypatch, scene(highlights={0: codes(60, 60, 60)}), 0.5, 0.5, 0.5)
    weight = dull["shading"] / SHADING[130]
    assert np.allclose(shiny["shading"], dull["shading"])
    assert np.allclose(shiny["photo"] - dull["photo"], weight * SHADING[60], atol=0.008)
    assert np.allclose(shiny["albedo"] * shiny["shading"], shiny["photo"], atol=0.004)


def test_clipped_and_dark_pixels_are_masked_and_nothing_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    light = codes(130, 130, 130)
    light[:, 2] = 255  # clips
    light[:, 4] = 0  # dark
    light[:, 6, 1] = 0  # dark in one colour
    mask = made(monkeypatch, scene(shadings=(light,)), 1, 1, 1)["mask"]
    assert mask.shape == (SIDE, SIDE, 1)
    expected = np.ones(SIDE)
    expected[[0, 2, 4, 6]] = 0
    assert (mask[..., 0] == expected).all()


def test_a_lone_object_stands_on_black(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_ISOLATED", 1.0)
    whole = made(monkeypatch, scene(), 1, 1, 1)
    assert (whole["photo"] > 0).all(), "plain scenes stay whole"
    nothing = made(monkeypatch, scene(), 1, 1, 1, plain=False)
    assert not nothing["photo"][:, 0].any()
    assert not nothing["mask"][:, 0].any()
    assert nothing["photo"][:, 1:].any()


def test_light_and_normals_of_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    gain = np.array([0.5, 0.25, 0.75])
    sample = made(monkeypatch, scene(), *gain)
    brightness = sample["shading"][5, 5] / SHADING[130]
    assert np.allclose(sample["light"].reshape(3, 9), (HARMONICS * brightness).T, rtol=1e-4)
    assert np.allclose(sample["normals"], (1, 0, 0), atol=0.01)
    assert sample["light"].dtype == np.float32


def test_the_backdrop_keeps_its_paint() -> None:
    power, tint = _paints(np.random.default_rng(0))
    assert (power[0], *tint[0]) == (1, 1, 1, 1)
    assert not (power[1:] == 1).any()
    assert not (tint[1:] == 1).any()


def test_validation_repaints_and_cuts_out_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(composing, "_paints", never)
    monkeypatch.setattr(composing, "_isolate", never)
    cases = open_synth().cases("val")
    assert len([cases[i] for i in range(len(cases))]) == 10


def test_training_samples_are_mirrored_half_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored = []
    name = "intrinsic_cli.kit.data.synth.scenes.mirror"
    monkeypatch.setattr(name, lambda sample: mirrored.append(1) or sample)
    synth: Synth = open_synth()
    next(iter(synth.batches("train", 40, 32)))
    assert 10 < len(mirrored) < 30


def test_a_camera_bends_the_curve_about_mid_gray() -> None:
    light = np.linspace(0, 1, 27, dtype=np.float32).reshape(3, 3, 3)
    camera = Camera(np.ones(3, np.float32), contrast=0.3)
    code = linear_to_srgb(light)
    bent = code + 0.3 * (code * code * (3 - 2 * code) - code)
    photo = camera(light, np.random.default_rng(0))
    assert np.abs(linear_to_srgb(photo) - bent).max() <= 0.51 / 255


@pytest.mark.parametrize(("shot", "read"), [(0.0, 0.03), (0.0036, 0.0), (0.0036, 0.03)])
def test_a_camera_is_noisy_by_light_and_by_itself(shot: float, read: float) -> None:
    camera = Camera(np.full(3, 0.5, np.float32), shot=shot, read=read)
    photo = camera(np.full((64, 64, 3), 0.5, np.float32), np.random.default_rng(0))
    assert photo.mean() == pytest.approx(0.25, abs=0.005)
    assert photo.std() == pytest.approx((0.25 * shot + read**2) ** 0.5, rel=0.05)
