"""Floats are linear light; numbers that cannot be light are repaired and told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from image_files import DEEP, FLAT, REAL, encode

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.photo import read_photo, to_photo
from intrinsic_cli.kit.light.colour import srgb_to_linear


def test_float_tiff_is_linear() -> None:
    photo = read_photo(encode(".tiff", REAL))
    assert np.array_equal(photo.pixels, REAL)
    assert (photo.encoding, photo.bits) == ("linear", 32)


def test_radiance_is_linear() -> None:
    photo = read_photo(encode(".hdr", REAL))
    assert np.allclose(photo.pixels, REAL, atol=0.02)
    assert photo.encoding == "linear"


@pytest.mark.parametrize("names", ["RGB", "RGBA", "Y"])
def test_exr_is_linear(tmp_path: Path, names: str) -> None:
    path = tmp_path / "photo.exr"
    planes = dict(zip(names, np.dstack([REAL, REAL[..., 0] / 3]).transpose(2, 0, 1), strict=False))
    OpenEXR.File({}, {name: np.ascontiguousarray(plane) for name, plane in planes.items()}).write(
        str(path)
    )
    photo = read_photo(path)
    assert np.array_equal(photo.pixels, REAL if names != "Y" else REAL[..., :1].repeat(3, axis=2))
    assert photo.encoding == "linear"
    assert (photo.alpha is not None) == (names == "RGBA")


def test_input_encoding_overrides() -> None:
    assert np.allclose(
        read_photo(encode(".png", DEEP[..., :3]), "linear").pixels, DEEP[..., :3] / 65535, atol=1e-6
    )
    assert np.allclose(
        read_photo(encode(".tiff", REAL), "srgb").pixels, srgb_to_linear(REAL), atol=1e-5
    )
    with pytest.raises(UsageError, match="gamma"):
        read_photo(encode(".png", FLAT), "gamma")


def test_broken_numbers_are_repaired_and_told() -> None:
    values = np.full((4, 5, 3), 0.5, np.float32)
    values[0, 0], values[1, 1, 0], values[2, 2], values[3, 3, 1] = np.nan, np.inf, -np.inf, -0.1
    values[3, 4] = 7.0
    photo = read_photo(encode(".tiff", values))
    assert photo.pixels[0, 0].tolist() == [0, 0, 0]
    assert photo.pixels[1, 1].tolist() == [7, 0.5, 0.5]
    assert photo.pixels[2, 2].tolist() == [0, 0, 0]
    assert photo.pixels[3, 3].tolist() == [0.5, 0, 0.5]
    assert photo.repaired == pytest.approx(4 / 20)


def test_the_brightest_of_all_bands_stands_for_infinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrinsic_cli.kit.light.resize.BAND_PIXELS", 10)
    values = np.full((7, 5, 3), 0.5, np.float32)
    values[6, 0, 0], values[0, 1], values[3, 2, 1] = 7, np.inf, -1
    given = values.copy()
    photo = to_photo(values, "auto")
    assert photo.pixels[0, 1].tolist() == [7, 7, 7]
    assert photo.pixels[3, 2].tolist() == [0.5, 0, 0.5]
    assert photo.pixels.sum() == pytest.approx(0.5 * 100 + 7 * 4)
    assert photo.repaired == pytest.approx(2 / 35)
    assert np.array_equal(values, given), "what was given stays as it is"


def test_all_not_a_number() -> None:
    assert not read_photo(encode(".tiff", np.full((4, 5, 3), np.nan, np.float32))).pixels.any()


def test_alpha_of_floats_is_cut_to_its_range() -> None:
    values = np.full((1, 4, 4), 0.5, np.float32)
    values[0, :, 3] = (-0.5, 0.25, 1.5, np.nan)
    alpha = to_photo(values, "auto").alpha
    assert alpha is not None
    assert alpha.tolist() == [[0.0, 0.25, 1.0, 0.0]]


def test_clipped_fraction_counts_visible_pixels() -> None:
    codes = np.full((10, 10, 4), 100, np.uint8)
    codes[..., 3] = 255
    codes[0, :, 1] = 255
    codes[9, :, :3], codes[9, :, 3] = 255, 0
    assert read_photo(encode(".png", codes)).clipped == pytest.approx(10 / 90)
