"""Rows of a large photo are those of the photo read whole, whatever its file is."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
from image_files import DEEP, FLAT, REAL, SIZE, encode, save
from PIL import Image
from profiles import ADOBE, PROPHOTO, gamma, rgb_profile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files import photo_rows as rows_of
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.photo_rows import PhotoRows, open_rows
from intrinsic_cli.kit.light import resize
from intrinsic_cli.kit.light.noise import noise_near_black

ADOBE_RGB = rgb_profile(ADOBE, gamma(563 / 256), "Adobe RGB (1998)")
PROPHOTO_RGB = rgb_profile(PROPHOTO, gamma(1.8008), "ProPhoto RGB")
TURN = 274


def tiff(codes: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, codes, photometric="rgb", **more)
    return file.getvalue()


def turned(form: str) -> bytes:
    exif = Image.Exif()
    exif[TURN] = 6
    return save(Image.fromarray(FLAT[..., :3]), form, exif=exif)


FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: save(Image.fromarray(FLAT[..., :3]), "JPEG"),
    "turned jpeg": lambda: turned("JPEG"),
    "adobe rgb jpeg": lambda: save(Image.fromarray(FLAT[..., :3]), "JPEG", icc_profile=ADOBE_RGB),
    "adobe rgb png": lambda: save(Image.fromarray(FLAT), "PNG", icc_profile=ADOBE_RGB),
    "8-bit tiff": lambda: tiff(FLAT[..., :3]),
    "16-bit png": lambda: encode(".png", DEEP[..., :3]),
    "16-bit png, alpha": lambda: encode(".png", DEEP),
    "16-bit png, gray": lambda: encode(".png", DEEP[..., 0]),
    "16-bit tiff": lambda: tiff(DEEP[..., :3]),
    "16-bit tiff, tiles": lambda: tiff(DEEP[..., :3], tile=(16, 16), byteorder=">"),
    "prophoto tiff": lambda: tiff(DEEP[..., :3], iccprofile=PROPHOTO_RGB),
}


@pytest.fixture(autouse=True)
def narrow_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "BAND_PIXELS", 150)


def opened(data: bytes) -> PhotoRows:
    rows = open_rows(data, "auto")
    assert rows is not None
    return rows


@pytest.mark.parametrize("name", FILES)
def test_rows_are_those_of_the_whole(name: str) -> None:
    data = FILES[name]()
    whole, rows = read_photo(data), opened(data)
    height, width = whole.pixels.shape[:2]
    assert rows.size == (height, width)
    assert rows.has_alpha == (whole.alpha is not None)
    for top in range(0, height, 5):
        part = slice(top, min(top + 5, height))
        found = rows.rows(part)
        assert np.array_equal(found.pixels, whole.pixels[part])
        assert np.array_equal(rows.planes(part), whole.pixels[part].transpose(2, 0, 1))
        if whole.alpha is not None:
            assert np.array_equal(found.alpha, whole.alpha[part])


@pytest.mark.parametrize("name", FILES)
def test_facts_are_those_of_the_whole(name: str) -> None:
    data = FILES[name]()
    whole, facts = read_photo(data), opened(data).header
    assert facts.pixels.shape == whole.pixels.shape
    assert (facts.bits, facts.encoding) == (whole.bits, whole.encoding)
    assert (facts.profile, facts.notes) == (whole.profile, whole.notes)
    assert facts.clipped == pytest.approx(whole.clipped)
    assert facts.outside == pytest.approx(whole.outside)
    noise = noise_near_black(
        lambda some: whole.pixels[some], whole.pixels.shape[:2], whole.bits, whole.encoding
    )
    assert opened(data).noise == noise


def test_an_encoding_asked_for_passes_the_profile_over() -> None:
    rows = open_rows(FILES["prophoto tiff"](), "linear")
    assert rows is not None
    assert rows.header.encoding == "linear"
    assert np.allclose(rows.planes(slice(3, 4))[1], DEEP[3:4, :, 1] / 65535, atol=1e-6)
    assert np.allclose(rows.rows(slice(3, 4)).pixels, DEEP[3:4, :, :3] / 65535, atol=1e-6)


@pytest.mark.parametrize("suffix", [".tiff", ".nef"])
def test_floats_and_raw_photos_are_read_whole(suffix: str) -> None:
    codes = REAL if suffix == ".tiff" else FLAT[..., :3]
    assert open_rows(tiff(codes), "auto", suffix) is None


def test_what_is_done_in_rows_may_be_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = SIZE[0] * SIZE[1]
    monkeypatch.setattr(memory, "memory", lambda: pixels * memory.BYTES_IN_STRIPS)
    data = FILES["16-bit png"]()
    assert opened(data).size == SIZE
    with pytest.raises(DataError, match="more than fit into memory"):
        read_photo(data)
    monkeypatch.setattr(memory, "memory", lambda: pixels * memory.BYTES_IN_STRIPS - 1)
    with pytest.raises(DataError, match="more than fit into memory"):
        open_rows(data, "auto")
    with memory.at_most(pixels - 1), pytest.raises(DataError, match="more than are allowed"):
        open_rows(data, "auto")


@pytest.mark.parametrize("name", [".png", ".jpg", ".bmp"])
def test_broken_is_not_called_too_large(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may claim a size that fits only in rows; then it breaks off."""
    monkeypatch.setattr(memory, "memory", lambda: SIZE[0] * SIZE[1] * memory.BYTES_IN_STRIPS)
    data = encode(name, FLAT[..., :3])
    assert opened(data).size == SIZE
    with pytest.raises(DataError, match="truncated or damaged"):
        open_rows(data[: len(data) * 2 // 3], "auto")


def test_floats_are_told_by_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decoded twice."""
    monkeypatch.setattr(rows_of, "decode", None)
    assert open_rows(tiff(REAL), "auto") is None
