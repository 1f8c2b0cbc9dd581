"""TIFFs of half floats, as others write them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.tiff import read_half

LIGHT = np.random.default_rng(0).uniform(0, 6, (23, 31, 4)).astype(np.float16)
LIGHT[..., 3] = np.linspace(0, 1, 31)


def tiff(codes: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, codes, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "more", [{}, {"byteorder": ">"}, {"compression": "zlib"}, {"tile": (16, 16)}]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_half_floats_are_read_as_they_are(
    channels: int, more: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    codes = LIGHT[..., 0] if channels == 1 else LIGHT[..., :channels]
    alpha = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    photo = read_photo(
        tiff(codes, photometric="minisblack" if channels == 1 else "rgb", **alpha, **more)
    )
    assert (photo.encoding, photo.bits, photo.pixels.dtype) == ("linear", 16, np.float32)
    assert np.array_equal(photo.pixels, np.broadcast_to(np.atleast_3d(codes)[..., :3], (23, 31, 3)))
    if channels == 4:
        assert np.array_equal(photo.alpha, LIGHT[..., 3])
    assert capfd.readouterr() == ("", "")


def test_what_is_not_finite_is_repaired() -> None:
    codes = LIGHT[..., :3].copy()
    codes[0, 0], codes[1, 1], codes[2, 2] = np.nan, np.inf, -1
    photo = read_photo(tiff(codes, photometric="rgb"))
    assert photo.repaired == pytest.approx(3 / (23 * 31))
    assert photo.pixels[1, 1].tolist() == [float(LIGHT[..., :3].max())] * 3


@pytest.mark.parametrize("length", [9, 60, 200, 2000])
def test_a_file_that_breaks_off_is_refused(length: int) -> None:
    with pytest.raises(DataError, match="truncated"):
        read_photo(tiff(LIGHT[..., :3], photometric="rgb")[:length])


def test_integers_are_not_taken_for_half_floats() -> None:
    codes = (LIGHT[..., :3] * 1000).astype(np.uint16)
    assert read_half(tiff(codes, photometric="rgb"), lambda data: codes) is None
