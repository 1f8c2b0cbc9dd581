"""One scale of albedo over a shot."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.inference.steady_light import SteadyLight

RNG = np.random.default_rng(0)
Picture = NDArray[np.float32]


def ground(seed: int = 0) -> Picture:
    """A wall of patches, [120,400,3]."""
    rng = np.random.default_rng(seed)
    patches = rng.uniform(0.1, 0.9, (12, 40, 3)).astype(np.float32)
    large = cv2.resize(patches, (400, 120), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large.clip(0.05, 1), np.float32)


WALL = ground()


def pan(at: int, wall: Picture = WALL) -> Picture:
    """What a camera sees that moves by four pixels a frame."""
    return wall[:, 4 * at : 4 * at + 160]


def strayed(gains: list[float], scales: NDArray[np.float64]) -> float:
    """The spread of the scale that is left."""
    return float(np.std(np.log(gains) + np.log(scales)))


def test_a_scale_that_flickers_is_held_in_a_pan_and_under_changing_exposure() -> None:
    scales = np.exp(RNG.normal(0, 0.1, 30))
    exposures = 2 ** np.sin(np.arange(30) / 5)
    steady = SteadyLight(24)
    gains = []
    for at, (scale, exposure) in enumerate(zip(scales, exposures, strict=True)):
        paint = pan(at)
        gains.append(steady.gain(paint * exposure, paint * scale))
    scales /= scales[0]
    assert np.std(np.log(scales)) > 0.08
    assert strayed(gains, scales) < 0.02
    numbers = steady.numbers()
    assert numbers["shots"] == 1
    assert numbers["flicker"]["frame_by_frame"] > 0.08
    assert numbers["flicker"]["written"] < 0.01
    of_places = numbers["flicker_of_places"]
    assert of_places["written"] < of_places["frame_by_frame"]


def test_gains_return_to_the_scale_that_the_method_finds() -> None:
    """The first frame of a shot is off by a fifth; a second and a half later, at ten frames a
    second, hardly a third of that is left."""
    steady = SteadyLight(2.0)
    gains = [steady.gain(WALL[:, :160], WALL[:, :160] * 1.2)]
    gains += [steady.gain(WALL[:, :160], WALL[:, :160]) for _ in range(40)]
    assert gains[0] == 1
    assert gains[1] == pytest.approx(1.2, abs=0.05)
    assert gains[-1] == pytest.approx(1, abs=0.01)
    assert np.all(np.diff(gains[1:]) <= 1e-6)


def test_a_cut_begins_with_a_scale_of_its_own() -> None:
    steady = SteadyLight(24)
    for scale in (1.0, 1.3, 0.8):
        gain = steady.gain(pan(0), pan(0) * np.float32(scale))
    assert gain == pytest.approx(1 / 0.8, rel=0.05)
    other = pan(0, ground(seed=1))
    assert steady.gain(other, other) == 1
    assert steady.shots == 2
    assert steady.pairs == 2, "nothing is compared over a cut"


def test_black_frames_change_nothing() -> None:
    steady = SteadyLight(1e6)
    steady.gain(pan(0), pan(0))
    steady.gain(pan(0), pan(0) * np.float32(1.25))
    black = np.zeros_like(pan(0))
    assert steady.gain(black, black) == pytest.approx(0.8, rel=0.01)


def test_work_that_was_stopped_goes_on_as_if_nothing_had_happened() -> None:
    scales = np.exp(RNG.normal(0, 0.1, 10)).astype(np.float32)
    one, other = SteadyLight(24), SteadyLight(24)
    for at, scale in enumerate(scales):
        expected = one.gain(pan(at), pan(at) * scale)
        other = SteadyLight.restored(24, other.state())
        assert other.gain(pan(at), pan(at) * scale) == expected
    assert other.numbers() == one.numbers()


@pytest.mark.parametrize("size", [(4, 4), (3, 50), (9, 1)])
def test_very_small_frames(size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), 0.5, np.float32)
    steady = SteadyLight(24)
    assert steady.gain(frame, frame) == 1
    gray = frame[..., :1] * np.float32(2)
    assert steady.gain(frame, gray) == pytest.approx(0.5, rel=0.02)
