"""What describes a photo goes on to its layers, in every format that can hold it, and says nothing
untrue of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from image_files import FLAT, save
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational as Rational

from intrinsic_cli.api.outputs import KINDS
from intrinsic_cli.kit.files.exif import Exif, exif_block, is_adobe_rgb, read_exif
from intrinsic_cli.kit.files.layers import write_layer
from intrinsic_cli.kit.files.metadata import NOTHING, read_metadata
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.tiff_fields import (
    LONG,
    SHORT,
    UNDEFINED,
    Field,
    layout_of,
    pack_fields,
    read_fields,
    whole,
)

RNG = np.random.default_rng(0)
LAYER = RNG.random((21, 33, 3)).astype(np.float32)
ALPHA = RNG.random((21, 33)).astype(np.float32)
MAKE, MODEL, TURN, WHO, CAMERA, GPS = 271, 272, 274, 33432, 34665, 34853
LENS, SECONDS, WIDTH, NOTE, SPACE = 42036, 33434, 40962, 37500, 40961


def described() -> Image.Exif:
    """The EXIF of a photo that a camera took, turned."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL], exif[TURN], exif[WHO] = "House", "Pinhole 1", 6, "(c) somebody"
    exif[256], exif[513] = 33, 1234
    camera = exif.get_ifd(CAMERA)
    camera[LENS], camera[SECONDS], camera[WIDTH], camera[NOTE] = (
        "50 mm",
        Rational(1, 60),
        33,
        b"note" * 99,
    )
    camera[SPACE] = 65535
    exif.get_ifd(GPS)[1], exif.get_ifd(GPS)[2] = "N", (52.0, 31.0, 12.5)
    return exif


def photo(form: str) -> bytes:
    options: dict[str, Any] = {"exif": described()}
    return save(Image.fromarray(FLAT[..., :3]), form, **options)


def check(exif: Image.Exif) -> None:
    """What is kept, and what is not."""
    assert exif[MAKE] == "House"
    assert exif[MODEL] == "Pinhole 1"
    assert exif[WHO] == "(c) somebody"
    assert exif[TURN] == 1
    camera = exif.get_ifd(CAMERA)
    assert camera[LENS] == "50 mm"
    assert camera[SECONDS] == pytest.approx(1 / 60)
    assert camera[SPACE] == 1
    assert exif.get_ifd(GPS)[2] == (52.0, 31.0, 12.5)
    assert not {256, 513} & set(exif) or exif[256] == LAYER.shape[1]
    assert not {NOTE, WIDTH} & set(camera)


@pytest.mark.parametrize("order", ["<", ">"])
def test_lists_of_fields_come_back(order: str) -> None:
    fields = {
        3: Field(UNDEFINED, b"abcde"),
        1: whole(SHORT, 1, 2, 3),
        2: whole(LONG, 1 << 31),
        9: Field(5, bytes(range(16))),
        4: Field(12, np.array([1.5, -2.5]).tobytes()),
    }
    head = {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[order]
    data = head + pack_fields(fields, order, 8)
    layout = layout_of(data)
    assert layout is not None
    assert read_fields(data, layout) == fields
    seen = tifffile.TiffFile(io.BytesIO(data + bytes(99))).pages.first.tags
    assert seen[1].value == (1, 2, 3)
    assert seen[4].value == (1.5, -2.5)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_what_is_kept_of_a_photo(form: str) -> None:
    try:
        data = photo(form)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow has no {form}")
    exif = Image.Exif()
    exif.load(exif_block(read_metadata(data).exif))
    check(exif)


@pytest.mark.parametrize("alpha", [None, ALPHA])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("form", ["png", "png16", "jpg", "webp", "tiff"])
def test_layers_carry_it_on(form: str, channels: int, alpha: Any, tmp_path: Path) -> None:
    kept = read_metadata(photo("JPEG")).exif
    kind, layer = KINDS["reflectance"], LAYER[..., :channels]
    path = tmp_path / f"a.{form.removesuffix('16')}"
    plain = tmp_path / "plain.png"
    stored = write_layer(path, layer, kind, form, alpha, kept)
    bare = write_layer(plain, layer, kind, form, alpha)
    assert np.array_equal(stored.codes, bare.codes)
    again = Image.Exif()
    again.load(exif_block(read_metadata(path.read_bytes()).exif))
    check(again)
    mine, other = read_photo(path), read_photo(plain)
    assert np.array_equal(mine.pixels, other.pixels)
    assert (mine.alpha is None) == (other.alpha is None)
    if form == "tiff":  # Pillow reads no floats in three channels
        exif = Image.Exif()
        exif.load(path.read_bytes())
        check(exif)
        assert tifffile.imread(path).shape[:2] == LAYER.shape[:2]
    else:
        with Image.open(path) as image:
            image.load()
            check(image.getexif())
            assert image.size == (33, 21)


@pytest.mark.parametrize("form", ["png", "png16", "jpg", "webp"])
def test_codes_of_light_are_said_to_be_srgb_and_others_not(form: str, tmp_path: Path) -> None:
    for kind, srgb in (("reflectance", True), ("vector", False), ("residual", False)):
        path = tmp_path / f"{kind}.{form.removesuffix('16')}"
        write_layer(path, LAYER, KINDS[kind], form, None, Exif())
        with Image.open(path) as image:
            profile = image.info.get("icc_profile")
            said = image.info.get("srgb") is not None or profile is not None
        assert said == srgb
        if profile:
            opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            assert "sRGB" in ImageCms.getProfileDescription(opened)
        assert read_photo(path).encoding == "srgb"


@pytest.mark.parametrize("form", ["png", "png16", "jpg", "webp", "tiff"])
def test_nothing_is_said_where_nothing_is_asked_for(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form.removesuffix('16')}"
    write_layer(path, LAYER, KINDS["reflectance"], form, ALPHA)
    found = read_metadata(path.read_bytes())
    assert not found.exif
    assert not found.profile
    for word in (b"Exif", b"eXIf", b"EXIF", b"ICC_PROFILE", b"ICCP", b"sRGB", b"iCCP"):
        assert word not in path.read_bytes()[:400]


def test_the_same_from_either_order_of_bytes() -> None:
    exif = described()
    exif.endian = ">"
    big = exif.tobytes()
    exif.endian = "<"
    little = exif.tobytes()
    assert little[6:8] != big[6:8]
    assert exif_block(read_exif(little)) == exif_block(read_exif(big))


def test_what_is_too_long_is_left_out() -> None:
    exif = described()
    exif[305] = "x" * 10_000
    kept = read_exif(exif.tobytes())
    assert 305 not in kept.main
    assert kept.main[MODEL].values == b"Pinhole 1\0"
    camera = exif.get_ifd(CAMERA)
    for tag in range(50_000, 50_020):
        camera[tag] = b"y" * 8000
    kept = read_exif(exif.tobytes())
    assert kept.main[MODEL].values == b"Pinhole 1\0"
    assert not kept.camera
    assert len(exif_block(kept)) < 60_000


def damaged(data: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    numbers: NDArray[np.uint8] = np.frombuffer(data, np.uint8).copy()
    places = rng.integers(0, len(numbers), 12)
    numbers[places] = rng.choice([0, 1, 255, 127, 8], 12)
    return numbers.tobytes()[: int(rng.integers(1, len(data) + 1)) if seed % 3 == 0 else None]


@pytest.mark.parametrize("order", ["<", ">"])
def test_damaged_exif_never_raises_and_what_is_written_is_sound(order: str) -> None:
    exif = described()
    exif.endian = order
    block = exif.tobytes()
    for seed in range(300):
        kept = read_exif(damaged(block, seed))
        is_adobe_rgb(damaged(block, seed))
        made = exif_block(kept)
        assert len(made) <= 60_000
        if kept:
            assert read_exif(made).main == kept.main


def test_nothing_comes_of_nothing() -> None:
    assert read_metadata(b"") == NOTHING
    assert read_metadata(b"hello") == NOTHING
    assert exif_block(Exif()) == b""
    assert not read_exif(b"II*\0")
    assert not is_adobe_rgb(b"")
