"""TIFFs as others write them: half floats, planes, tiles, palettes, either order of bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from profiles import ADOBE, gamma, rgb_profile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.tiff import redeclared
from intrinsic_cli.kit.files.tiff_fields import LONG, first_fields, whole

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
    assert read_photo(tiff(codes, photometric="rgb")).encoding == "srgb"


FLAT = np.random.default_rng(1).integers(0, 65536, (40, 50, 4)).astype(np.uint16)
#: Numbers of every type with the same meaning where they are linear.
TYPES = {
    "uint8": (FLAT >> 8).astype(np.uint8),
    "uint16": FLAT,
    "float16": (FLAT / 65535).astype(np.float16),
    "float32": (FLAT / 65535).astype(np.float32),
    "float64": FLAT / 65535,
}
LAYOUTS: dict[str, tuple[int, dict[str, Any]]] = {
    "rgb": (3, {"photometric": "rgb"}),
    "rgb with alpha": (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "gray": (1, {"photometric": "minisblack"}),
    "gray with alpha": (2, {"photometric": "minisblack", "extrasamples": ["unassalpha"]}),
}


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("big", [False, True])
def test_every_way_to_lay_out_a_tiff(
    big: bool, dtype: str, layout: str, planes: bool, order: str, tile: Any, compression: Any
) -> None:
    channels, more = LAYOUTS[layout]
    codes = TYPES[dtype][..., :channels]
    written = codes[..., 0] if channels == 1 else codes
    if channels > 1:
        more = {**more, "planarconfig": "separate" if planes else "contig"}
        written = np.moveaxis(codes, 2, 0) if planes else codes
    more |= {"byteorder": order, "tile": tile, "compression": compression}
    data = tiff(written, bigtiff=big, **more)
    if dtype == "uint8" and planes and channels == 2 and tile and not compression:
        with pytest.raises(DataError, match="rare kind"):
            read_photo(data)
        return
    photo = read_photo(data, "linear")
    top = 1 if dtype.startswith("float") else np.iinfo(dtype).max
    colours = codes[..., :3] if channels > 2 else codes[..., :1].repeat(3, axis=2)
    assert np.allclose(photo.pixels, colours / top, atol=1e-6)
    assert photo.bits == np.dtype(dtype).itemsize * 8
    if channels in (2, 4):
        assert photo.alpha is not None
        assert np.allclose(photo.alpha, codes[..., -1] / top, atol=1e-6)


def test_a_palette_and_lzw() -> None:
    image = Image.fromarray(TYPES["uint8"][..., :3]).quantize(32)
    for compression in ("raw", "tiff_lzw", "packbits"):
        file = io.BytesIO()
        image.save(file, "TIFF", compression=compression)
        photo = read_photo(file.getvalue(), "linear")
        assert np.allclose(photo.pixels, np.asarray(image.convert("RGB")) / 255, atol=1e-6)


def test_white_may_be_zero() -> None:
    gray = TYPES["uint8"][..., 0]
    photo = read_photo(tiff(gray, photometric="miniswhite"), "linear")
    assert np.allclose(photo.pixels[..., 0], 1 - gray / 255, atol=1e-6)
    deep = FLAT[..., 0]
    for big in (False, True):
        photo = read_photo(tiff(deep, photometric="miniswhite", bigtiff=big), "linear")
        assert np.allclose(photo.pixels[..., 0], 1 - deep / 65535, atol=1e-4)


def test_a_big_tiff_keeps_its_profile_and_exif() -> None:
    profile = rgb_profile(ADOBE, gamma(2.2))
    made = {"photometric": "rgb", "iccprofile": profile, "software": "House"}
    whole_tiff, big = (tiff(FLAT[..., :3], bigtiff=big, **made) for big in (False, True))
    one, other = read_photo(whole_tiff), read_photo(big)
    assert one.encoding == other.encoding == "icc"
    assert np.array_equal(one.pixels, other.pixels)
    assert read_metadata(big).exif.main


def test_a_big_tiff_too_long_to_be_declared_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read where OpenCV can, and else refused, not misread."""
    monkeypatch.setattr("intrinsic_cli.kit.files.tiff._LONGEST", 1 << 32)
    more = {"photometric": "rgb", "bigtiff": True}
    assert read_photo(tiff(FLAT[..., :3], **more)).bits == 16
    data = tiff(np.moveaxis(FLAT[..., :3], 2, 0), planarconfig="separate", **more)
    with pytest.raises(DataError, match="rare kind"):
        read_photo(data)


@pytest.mark.parametrize("length", [17, 60, 300, 3000])
def test_a_big_tiff_that_breaks_off_is_refused(length: int) -> None:
    data = tiff(TYPES["uint8"][..., :3], photometric="rgb", bigtiff=True)
    with pytest.raises(DataError):
        read_photo(data[:length])


def test_four_deep_inks_are_no_colours_with_alpha() -> None:
    codes = np.full((8, 9, 4), (0, 65535, 65535, 0), np.uint16)
    data = tiff(codes, photometric="separated")
    photo = read_photo(data)
    assert photo.alpha is None
    assert photo.pixels[0, 0].tolist() == [1, 0, 0]


def test_fields_that_lie_about_their_planes() -> None:
    data = tiff(np.moveaxis(FLAT[..., :3], 2, 0), photometric="rgb", planarconfig="separate")
    fields = first_fields(data)
    for tag in (273, 279):
        broken = redeclared(data, {**fields, tag: whole(LONG, *fields[tag].numbers[:1])})
        with pytest.raises(DataError):
            read_photo(broken)
    assert np.array_equal(read_photo(redeclared(data, fields)).pixels, read_photo(data).pixels)
