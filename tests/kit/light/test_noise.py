"""How far dark pixels can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.kit.light.colour import decode_codes, encode_codes
from intrinsic_cli.kit.light.noise import ROWS, code_noise, grain, noise_near_black


def test_codes_of_more_bits_and_of_srgb_are_finer_near_black() -> None:
    step = float(decode_codes(np.array([[[1]]], np.uint8), "srgb")[0, 0, 0])
    assert code_noise(8, "srgb") == pytest.approx(6 * step, rel=1e-3)
    assert code_noise(16, "srgb") == pytest.approx(code_noise(8, "srgb") / 257)
    assert code_noise(8, "icc") == code_noise(8, "srgb")
    assert code_noise(8, "srgb") < code_noise(8, "linear") == 0.01
    assert code_noise(32, "linear") == 0


@pytest.mark.parametrize("sigma", [0.0005, 0.002])
def test_grain_is_found_beside_edges_and_bright_places(sigma: float) -> None:
    rng = np.random.default_rng(0)
    rows = np.full((20, 600, 3), 0.008, np.float32)
    rows[:, ::40] += 0.01
    rows[:, 300:] = 0.5
    noise = rng.normal(0, sigma, (20, 600, 1)).astype(np.float32)
    assert grain(rows + noise) == pytest.approx(sigma, rel=0.2)


def test_little_darkness_tells_nothing_and_texture_is_not_taken_for_all_noise() -> None:
    rng = np.random.default_rng(0)
    assert grain(np.full((20, 600, 3), 0.5, np.float32)) == 0
    assert grain(np.zeros((2, 100, 3), np.float32)) == 0
    assert grain(np.zeros((20, 600, 3), np.float32)) == 0
    strong = rng.uniform(0, 0.9, (40, 600, 1)).astype(np.float32) ** 9 * np.ones(3, np.float32)
    assert grain(strong * 50) <= 0.01


def test_it_is_the_larger_of_codes_and_grain() -> None:
    rng = np.random.default_rng(0)
    photo = np.abs(rng.normal(0.008, 0.003, (200, 300, 1))).astype(np.float32) * np.ones(3)
    read: list[slice] = []

    def rows(cut: slice) -> np.ndarray:
        read.append(cut)
        return np.asarray(photo[cut], np.float32)

    size = (200, 300)
    assert noise_near_black(rows, size, 32, "linear") == pytest.approx(0.003, rel=0.2)
    assert len(read) == ROWS
    assert noise_near_black(rows, size, 8, "srgb") == pytest.approx(0.003, rel=0.2)
    even = encode_codes(np.full((3, 300, 3), 0.008, np.float32), 8)
    flat = decode_codes(even, "srgb")
    assert noise_near_black(lambda cut: flat[cut], (3, 300), 8, "srgb") == code_noise(8, "srgb")
