"""Colours said by numbers: the same scene, stored by any of them, is the same light."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features
from profiles import ADOBE, DISPLAY_P3, from_srgb, gamma, rgb_profile

from intrinsic_cli.kit.files.code_points import CodePoints, read_code_points
from intrinsic_cli.kit.files.formats import HEIF
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.photo_rows import open_rows
from intrinsic_cli.kit.light.colour import linear_to_srgb

BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
#: Linear sRGB; smooth, for what is compressed.
SCENE = cv2.GaussianBlur(np.random.default_rng(0).uniform(0.05, 0.9, (40, 56, 3)), (0, 0), 4)
SCENE[:, 28:] *= 0.25
BRIGHT = SCENE * 3


def pq(light: NDArray[Any]) -> NDArray[Any]:
    """SMPTE ST 2084 the way of the camera; 1 is 203 cd/m²."""
    power = (light * 203 / 10_000) ** (2610 / 16384)
    above = 3424 / 4096 + 2413 / 128 * power
    return np.asarray((above / (1 + 2392 / 128 * power)) ** (2523 / 32))


def hlg(light: NDArray[Any]) -> NDArray[Any]:
    """BT.2100 the way of the camera; 1 is a white page, at 75 %."""
    scene = light * 0.26496256  # (exp((0.75 - c) / a) + b) / 12
    log = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)


#: Numbers → the corners, linear → code, a scene, and what the profile is called.
SAID: dict[tuple[int, int], tuple[tuple[float, ...], Any, NDArray[Any], str]] = {
    (12, 13): (DISPLAY_P3, linear_to_srgb, SCENE, "Display P3, sRGB"),
    (9, 1): (BT2020, linear_to_srgb, SCENE, "BT.2020, sRGB"),
    (9, 16): (BT2020, pq, BRIGHT, "BT.2020, PQ"),
    (9, 18): (BT2020, hlg, BRIGHT, "BT.2020, HLG"),
    (1, 8): ((), lambda x: x, SCENE, "BT.709, linear"),
    (12, 4): (DISPLAY_P3, lambda x: x ** (1 / 2.2), SCENE, "Display P3, gamma 2.2"),
}


def codes_of(points: tuple[int, int], bits: int) -> NDArray[Any]:
    corners, encode, scene, _ = SAID[points]
    light = from_srgb(scene, corners) if corners else scene
    return np.round(encode(light) * ((1 << bits) - 1)).astype(f"uint{bits}")


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(codes: NDArray[Any], points: tuple[int, int], more: bytes = b"") -> bytes:
    data = cv2.imencode(".png", np.ascontiguousarray(codes[..., ::-1]))[1].tobytes()
    said = chunk(b"cICP", bytes([*points, 0, 1]))
    return bytes(data[:33] + more + said + data[33:])  # behind the header


def heic(codes: NDArray[Any], points: tuple[int, int], **more: Any) -> bytes:
    import pillow_heif

    numbers = dict(zip(("color_primaries", "transfer_characteristics"), points, strict=True))
    size = (codes.shape[1], codes.shape[0])
    form = "RGB" if codes.dtype == np.uint8 else "RGB;16"
    picture = pillow_heif.from_bytes(form, size, codes.tobytes())
    file = io.BytesIO()
    said = {"matrix_coefficients": 9, "full_range_flag": 1, **numbers}
    picture.save(file, quality=-1, chroma=444, save_nclx_profile=True, **said, **more)
    return file.getvalue()


def avif(codes: NDArray[np.uint8], points: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(codes).save(file, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(file.getvalue())
    at = data.index(b"nclx") + 4
    data[at : at + 4] = struct.pack(">HH", *points)
    return bytes(data)


@pytest.mark.parametrize("points", SAID)
def test_16_bit_pngs(points: tuple[int, int]) -> None:
    photo = read_photo(png(codes_of(points, 16), points))
    _, _, scene, name = SAID[points]
    assert (photo.encoding, photo.profile, photo.bits) == ("icc", name, 16)
    assert np.abs(photo.pixels / scene - 1).max() < 5e-3
    told = " ".join(photo.notes)
    assert ("HDR" in told) == (points[1] in (16, 18))


@pytest.mark.skipif(not HEIF.is_readable, reason="the extra 'heif' is not installed")
@pytest.mark.parametrize("points", SAID)
def test_heic(points: tuple[int, int]) -> None:
    photo = read_photo(heic(codes_of(points, 16), points))
    _, _, scene, name = SAID[points]
    assert (photo.encoding, photo.profile) == ("icc", name)
    assert np.median(np.abs(photo.pixels / scene - 1)) < 0.03
    assert np.abs(photo.pixels.mean((0, 1)) / scene.mean((0, 1)) - 1).max() < 0.03


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("points", [(12, 13), (9, 16)])
def test_avif(points: tuple[int, int]) -> None:
    photo = read_photo(avif(codes_of(points, 8), points))
    _, _, scene, name = SAID[points]
    assert photo.profile == name
    assert np.median(np.abs(photo.pixels / scene - 1)) < 0.06


@pytest.mark.parametrize("points", [(1, 13), (1, 1), (2, 2), (1, 6)])
def test_numbers_that_say_what_is_taken_for_granted(points: tuple[int, int]) -> None:
    codes = codes_of((12, 13), 16)
    photo = read_photo(png(codes, points))
    assert (photo.encoding, photo.notes) == ("srgb", ())
    plain = cv2.imencode(".png", np.ascontiguousarray(codes[..., ::-1]))[1].tobytes()
    assert np.array_equal(photo.pixels, read_photo(bytes(plain)).pixels)


@pytest.mark.parametrize("points", [(1, 9), (3, 13), (200, 200)])
def test_numbers_that_nobody_knows_are_told(points: tuple[int, int]) -> None:
    photo = read_photo(png(codes_of((12, 13), 16), points))
    (note,) = photo.notes
    assert f"primaries {points[0]}, transfer {points[1]}" in note
    assert photo.encoding == "srgb"


def test_which_goes_first_where_there_is_a_profile_too() -> None:
    adobe = rgb_profile(ADOBE, gamma(2.2), "Adobe RGB")
    embedded = chunk(b"iCCP", b"a\0\0" + zlib.compress(adobe))
    codes = codes_of((12, 13), 16)
    assert read_photo(png(codes, (12, 13), embedded)).profile == "Display P3, sRGB"
    if HEIF.is_readable:
        data = heic(codes, (12, 13), icc_profile=adobe)
        assert read_photo(data).profile == "Adobe RGB"


def test_the_user_knows_better() -> None:
    codes = codes_of((9, 16), 16)
    photo = read_photo(png(codes, (9, 16)), "linear")
    assert np.allclose(photo.pixels, codes / 65535, atol=1e-6)
    assert photo.notes == ()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_what_may_be_brighter_than_white_is_read_whole() -> None:
    """Of some rows nobody knows how bright the photo is."""
    for points, hdr in (((9, 16), True), ((9, 18), True), ((12, 13), False)):
        rows = open_rows(png(codes_of(points, 16), points), "auto")
        assert (rows is None) == hdr


def test_files_that_break_off_say_nothing() -> None:
    whole = avif(codes_of((12, 13), 8), (12, 13))
    assert read_code_points(whole) == CodePoints(12, 13, 8)
    for length in range(0, whole.index(b"mdat"), 7):
        assert read_code_points(whole[:length]) in (CodePoints(), CodePoints(12, 13, 8))
    header = png(codes_of((12, 13), 16), (12, 13))
    assert read_code_points(header[:40]) == CodePoints()
    assert read_code_points(b"") == CodePoints()
