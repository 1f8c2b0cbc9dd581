"""RAW and HEIC photos, made here and read with their extras."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from image_files import save
from numpy.typing import NDArray
from PIL import Image, features
from profiles import DISPLAY_P3, SRGB_CURVE, formula, from_srgb, rgb_profile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files.formats import HEIF, RAW
from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import linear_to_srgb, srgb_to_linear

needs_raw = pytest.mark.skipif(not RAW.is_readable, reason="the extra raw is not installed")
needs_heif = pytest.mark.skipif(not HEIF.is_readable, reason="the extra heif is not installed")

DOWN, ACROSS = np.mgrid[0:48, 0:64] / 64
#: Smooth linear sRGB, so that neither mosaics nor blocks of compression matter.
SCENE = np.stack([0.2 + 0.5 * ACROSS, 0.3 + 0.4 * DOWN, 0.5 - 0.3 * ACROSS], -1)
CODES = np.round(linear_to_srgb(SCENE) * 255).astype(np.uint8)

#: XYZ → a camera that sees linear sRGB.
CAMERA = (
    *(3.2405, -1.5371, -0.4985),
    *(-0.9693, 1.8760, 0.0416),
    *(0.0556, -0.2040, 1.0572),
)
WHITE = 60000


def dng(scene: NDArray[Any], model: str = "Pinhole 1") -> bytes:
    """A RAW photo (DNG 1.4): red, green, green, blue, one number a pixel."""
    numbers = np.round(scene * WHITE).astype(np.uint16)
    mosaic = numbers[..., 1].copy()
    mosaic[0::2, 0::2] = numbers[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = numbers[1::2, 1::2, 2]
    matrix = [part for number in CAMERA for part in (round(number * 10000), 10000)]
    tags: list[tuple[int, int, int, Any, bool]] = [
        (271, 2, 0, "House", True),
        (272, 2, 0, model, True),
        (33421, 3, 2, (2, 2), True),
        (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (33432, 2, 0, "(c) somebody", True),
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),
        (50708, 2, 0, f"House {model}", True),
        (50714, 3, 1, 0, True),
        (50717, 3, 1, WHITE, True),
        (50721, 10, 9, tuple(matrix), True),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
        (50778, 3, 1, 21, True),
    ]
    file = io.BytesIO()
    tifffile.imwrite(file, mosaic, photometric=32803, extratags=tags, metadata=None)
    return file.getvalue()


def heif(codes: NDArray[Any], **more: Any) -> bytes:
    """A HEIC photo of 8 or 16 (kept: 10) bits."""
    library = pytest.importorskip("pillow_heif")
    mode = "RGB" if codes.dtype == np.uint8 else "RGB;16"
    if codes.shape[2] == 4:
        mode = mode.replace("RGB", "RGBA")
    size = (codes.shape[1], codes.shape[0])
    file = io.BytesIO()
    image = library.from_bytes(mode=mode, size=size, data=codes.tobytes())
    image.save(file, quality=-1, chroma=444, **more)
    return file.getvalue()


@needs_raw
def test_raw_is_developed_into_linear_light(tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(dng(SCENE))
    photo = read_photo(tmp_path / "a.dng")
    assert (photo.encoding, photo.bits) == ("linear", 32)
    inside = np.abs(photo.pixels - SCENE)[4:-4, 4:-4]
    assert inside.max() < 5e-4
    assert np.array_equal(read_photo(dng(SCENE)).pixels, photo.pixels), "without a name as well"


@needs_raw
def test_raw_photos_describe_themselves() -> None:
    main = read_metadata(dng(SCENE)).exif.main
    assert main[272].values == b"Pinhole 1\0"
    assert main[33432].values == b"(c) somebody\0"
    assert not {33422, 50721} & set(main)


@needs_raw
@pytest.mark.parametrize("length", [100, 300, 2000])
def test_raw_that_breaks_off(length: int) -> None:
    with pytest.raises(DataError) as caught:
        read_photo(dng(SCENE)[:length], suffix=".dng")
    assert caught.value.hint


@needs_raw
def test_raw_of_no_known_camera() -> None:
    with pytest.raises(DataError, match="of a camera that LibRaw does not know"):
        read_photo(b"FUJIFILMCCD-RAW 0201" + bytes(3000))


@needs_raw
def test_raw_that_is_too_large() -> None:
    with memory.at_most(1000), pytest.raises(DataError, match="more than are allowed"):
        read_photo(dng(SCENE))


@needs_heif
def test_heic_in_8_bits() -> None:
    photo = read_photo(heif(CODES))
    assert (photo.encoding, photo.bits) == ("srgb", 8)
    assert np.abs(photo.pixels - srgb_to_linear(CODES / 255)).max() < 0.02


@needs_heif
def test_heic_in_10_bits() -> None:
    """More than 8 of them are kept, and white is white."""
    codes = np.round(linear_to_srgb(SCENE) * 65535).astype(np.uint16)
    codes[:8] = 65535
    photo = read_photo(heif(codes))
    assert photo.bits == 16
    assert photo.pixels[:6].min() == 1
    assert np.abs(photo.pixels[10:] - SCENE[10:]).max() < 0.008
    assert len(np.unique(photo.pixels[..., 0])) > len(np.unique(CODES[..., 0]))


@needs_heif
def test_heic_with_alpha() -> None:
    alpha = np.full((*CODES.shape[:2], 1), 255, np.uint8)
    alpha[:, :32] = 0
    photo = read_photo(heif(np.dstack([CODES, alpha])))
    assert photo.alpha is not None
    assert photo.alpha[0, :30].max() == 0
    assert photo.alpha[0, 40:].min() == 1


@needs_heif
def test_heic_with_a_profile() -> None:
    profile = rgb_profile(DISPLAY_P3, formula(3, *SRGB_CURVE), "Display P3")
    codes = np.round(linear_to_srgb(from_srgb(SCENE, DISPLAY_P3)) * 255).astype(np.uint8)
    photo = read_photo(heif(codes, icc_profile=profile))
    assert (photo.encoding, photo.profile) == ("icc", "Display P3")
    assert np.abs(photo.pixels - SCENE).max() < 0.02


@needs_heif
def test_heic_is_turned_once() -> None:
    exif = Image.Exif()
    exif[271], exif[274] = "House", 6
    data = heif(CODES, exif=exif.tobytes())
    photo = read_photo(data)
    upright = np.rot90(CODES, -1)
    assert photo.pixels.shape == upright.shape
    assert np.abs(photo.pixels - srgb_to_linear(upright / 255)).max() < 0.02
    assert read_metadata(data).exif.main[271].values == b"House\0"


@needs_heif
@pytest.mark.parametrize("length", [40, 200, 600, -200])
def test_heic_that_breaks_off(length: int) -> None:
    with pytest.raises(DataError, match=r"truncated|not an image") as caught:
        read_photo(heif(CODES)[:length])
    assert caught.value.hint


@needs_heif
@pytest.mark.parametrize("error", [IndexError, SyntaxError, RuntimeError, ValueError, EOFError])
def test_whatever_the_library_raises_is_a_sentence(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **options: Any) -> None:
        raise error("out of range")

    data = heif(CODES)
    for name in ("__array_interface__", "info", "size"):
        with monkeypatch.context() as patch:
            patch.setattr(f"pillow_heif.HeifFile.{name}", property(refuse))
            with pytest.raises(DataError, match="truncated or damaged"):
                read_photo(data)
            read_metadata(data)
    monkeypatch.setattr("pillow_heif.open_heif", refuse)
    with pytest.raises(DataError, match="truncated or damaged"):
        read_photo(data)


@needs_heif
def test_heic_that_is_too_large() -> None:
    with memory.at_most(1000), pytest.raises(DataError, match="more than are allowed"):
        read_photo(heif(CODES))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_with_a_profile() -> None:
    profile = rgb_profile(DISPLAY_P3, formula(3, *SRGB_CURVE), "Display P3")
    codes = np.round(linear_to_srgb(from_srgb(SCENE, DISPLAY_P3)) * 255).astype(np.uint8)
    data = save(
        Image.fromarray(codes), "AVIF", quality=100, subsampling="4:4:4", icc_profile=profile
    )
    photo = read_photo(data)
    assert photo.profile == "Display P3"
    assert np.abs(photo.pixels - SCENE).max() < 0.02
