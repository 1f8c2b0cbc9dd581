"""Colour profiles: the same scene, stored in any colour space, is the same light."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from image_files import save
from numpy.typing import NDArray
from PIL import Image, ImageCms
from profiles import (
    ADOBE,
    DISPLAY_P3,
    PROPHOTO,
    SRGB,
    SRGB_CURVE,
    formula,
    from_srgb,
    gamma,
    gray_profile,
    profile,
    rgb_profile,
    table,
    table_profile,
    to_srgb,
)

from intrinsic_cli.kit.files.containers import srgb_profile
from intrinsic_cli.kit.files.icc import adobe_rgb, read_profile
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.files.tiff_fields import ASCII, LONG, SHORT, Field, pack_fields, whole
from intrinsic_cli.kit.light.colour import linear_to_srgb, srgb_to_linear

RNG = np.random.default_rng(0)
#: Linear sRGB, no colour at its edge.
SCENE = RNG.uniform(0.05, 0.95, (17, 23, 3)).astype(np.float64)
#: Space → its corners, its curve in a profile, and linear → code.
SPACES: dict[str, tuple[tuple[float, ...], bytes, Any]] = {
    "Adobe RGB (1998)": (ADOBE, gamma(563 / 256), lambda x: x ** (256 / 563)),
    "Display P3": (DISPLAY_P3, formula(3, *SRGB_CURVE), linear_to_srgb),
    "ProPhoto RGB": (PROPHOTO, gamma(1.8008), lambda x: x ** (1 / (461 / 256))),
    "a table": (ADOBE, table(np.linspace(0, 1, 1024) ** 2.2), lambda x: x ** (1 / 2.2)),
}


def stored(name: str, bits: int) -> tuple[NDArray[Any], bytes]:
    """The scene's codes in a space, and its profile."""
    corners, curve, encode = SPACES[name]
    top = (1 << bits) - 1
    codes = np.round(encode(from_srgb(SCENE, corners)) * top)
    return codes.astype(f"uint{bits}"), rgb_profile(corners, curve, name)


def tiff(codes: NDArray[Any], profile: bytes, **more: Any) -> bytes:
    file = io.BytesIO()
    kind = "rgb" if codes.ndim == 3 else "minisblack"
    tifffile.imwrite(file, codes, photometric=kind, iccprofile=profile, **more)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("name", SPACES)
def test_8_bits_of_any_space(name: str, form: str) -> None:
    codes, profile = stored(name, 8)
    options = {"lossless": True} if form == "WEBP" else {}
    photo = read_photo(save(Image.fromarray(codes), form, icc_profile=profile, **options))
    assert (photo.encoding, photo.profile, photo.bits) == ("icc", name, 8)
    assert np.abs(photo.pixels - SCENE).max() < 0.012, "half a code of these spaces"
    assert np.abs(photo.pixels - SCENE).mean() < 0.003


@pytest.mark.parametrize("more", [{}, {"byteorder": ">"}, {"tile": (16, 16)}, {"bigtiff": True}])
@pytest.mark.parametrize("name", SPACES)
def test_16_bits_stay_16_bits(name: str, more: dict[str, Any]) -> None:
    codes, profile = stored(name, 16)
    photo = read_photo(tiff(codes, profile, **more))
    assert (photo.encoding, photo.profile, photo.bits) == ("icc", name, 16)
    assert np.abs(photo.pixels - SCENE).max() < 1e-4


@pytest.mark.parametrize("name", SPACES)
def test_the_colour_engine_says_the_same(name: str) -> None:
    """In its 8 bits, where it does not clip."""
    codes, profile = stored(name, 8)
    image = Image.fromarray(codes)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    by_engine = ImageCms.profileToProfile(image, source, target, intent)
    assert by_engine is not None
    mine = linear_to_srgb(read_photo(save(image, "PNG", icc_profile=profile)).pixels) * 255
    assert np.abs(mine - np.asarray(by_engine, np.float32)).max() < 1.1


def test_jpeg_with_a_profile_in_several_pieces() -> None:
    codes, profile = stored("Adobe RGB (1998)", 8)
    smooth = np.broadcast_to(codes[:1, :1], (32, 32, 3))
    long = profile + bytes(150_000)
    photo = read_photo(save(Image.fromarray(smooth), "JPEG", quality=100, icc_profile=long))
    assert photo.profile == "Adobe RGB (1998)"
    assert np.abs(photo.pixels - SCENE[:1, :1]).max() < 0.03


def test_what_is_srgb_anyway_is_read_as_without_a_profile() -> None:
    codes = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)
    plain = read_photo(save(Image.fromarray(codes), "PNG"))
    for one in (srgb_profile(), rgb_profile(SRGB, formula(3, *SRGB_CURVE), "sRGB")):
        photo = read_photo(save(Image.fromarray(codes), "PNG", icc_profile=one))
        assert photo.encoding == "srgb"
        assert np.array_equal(photo.pixels, plain.pixels)


def test_white_stays_white_and_gray_gray() -> None:
    for name, (corners, curve, _) in SPACES.items():
        codes = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 2, 3))
        profile = rgb_profile(corners, curve, name)
        pixels = read_photo(save(Image.fromarray(codes), "PNG", icc_profile=profile)).pixels
        assert np.abs(pixels[255] - 1).max() < 1e-6
        assert np.ptp(pixels, axis=2).max() < 1e-6


def test_colours_outside_srgb_are_clipped_below_kept_above_and_counted() -> None:
    codes = np.full((10, 10, 3), 128, np.uint8)
    codes[0] = (0, 255, 0)
    codes[1] = (255, 0, 0)
    corners, curve, _ = SPACES["Adobe RGB (1998)"]
    profile = rgb_profile(corners, curve)
    photo = read_photo(save(Image.fromarray(codes), "PNG", icc_profile=profile))
    assert photo.pixels.min() == 0
    assert photo.outside == pytest.approx(0.1)
    wanted = to_srgb(np.array([1.0, 0, 0]), ADOBE)
    assert photo.pixels[1, 0] == pytest.approx(np.maximum(wanted, 0), abs=2e-4)
    assert photo.pixels[1, 0, 0] > 1.3


def test_input_encoding_goes_before_the_profile() -> None:
    codes, profile = stored("ProPhoto RGB", 8)
    data = save(Image.fromarray(codes), "PNG", icc_profile=profile)
    for encoding in ("srgb", "linear"):
        photo = read_photo(data, encoding)
        assert (photo.encoding, photo.profile) == (encoding, "")
    assert np.allclose(read_photo(data, "linear").pixels, codes / 255, atol=1e-6)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
def test_gray_profiles(bits: int, alpha: bool) -> None:
    top = (1 << bits) - 1
    gray = RNG.integers(0, top, (20, 30)).astype(f"uint{bits}")
    codes = np.stack([gray, gray // 2], -1) if alpha else gray
    more: dict[str, Any] = (
        {"extrasamples": ["unassalpha"], "planarconfig": "contig"} if alpha else {}
    )
    file = io.BytesIO()
    curve = gamma(1.8)
    tifffile.imwrite(file, codes, photometric="minisblack", iccprofile=gray_profile(curve), **more)
    photo = read_photo(file.getvalue())
    power = round(1.8 * 256) / 256
    assert photo.encoding == "icc"
    assert np.allclose(photo.pixels, ((gray / top) ** power)[..., None], atol=1e-6)
    assert (photo.alpha is not None) == alpha


def test_gray_pictures_with_a_profile_of_colours() -> None:
    gray = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
    corners, curve, _ = SPACES["Adobe RGB (1998)"]
    data = save(Image.fromarray(gray), "JPEG", quality=100, icc_profile=rgb_profile(corners, curve))
    photo = read_photo(data)
    read = np.asarray(Image.open(io.BytesIO(data))) / 255
    assert np.allclose(photo.pixels, (read ** (563 / 256))[..., None], atol=1e-5)


def test_float_tiffs_are_read_by_their_profile() -> None:
    """Linear, or with a curve; brighter than white stays so."""
    light = np.float32(SCENE * 3)
    linear = read_photo(
        tiff(from_srgb(light, PROPHOTO).astype(np.float32), rgb_profile(PROPHOTO, gamma(1)))
    )
    assert (linear.encoding, linear.bits) == ("icc", 32)
    assert np.allclose(linear.pixels, light, rtol=2e-4, atol=2e-4)
    coded = np.float32(linear_to_srgb(SCENE))
    photo = read_photo(tiff(coded, srgb_profile()))
    assert photo.encoding == "srgb"
    assert np.allclose(photo.pixels, SCENE, atol=1e-5)
    table = rgb_profile(SRGB, SPACES["a table"][1])
    bright = read_photo(tiff(np.full((4, 5, 3), 1.5, np.float32), table))
    assert bright.pixels.min() > 1.5, "the last line goes on"
    assert read_photo(tiff(light, b"")).encoding == "linear"


def scene_of(codes: NDArray[Any]) -> NDArray[Any]:
    """A space of tables: red and blue change places, with a power of 2."""
    return codes[:, ::-1] ** 2


@pytest.mark.parametrize("bits", [8, 16])
def test_profiles_of_tables_are_followed_with_8_bits(bits: int) -> None:
    profile = table_profile(3, scene_of, grid=17, name="swapped")
    top = (1 << bits) - 1
    codes = np.round(RNG.uniform(0.2, 0.9, (12, 14, 3)) * top).astype(f"uint{bits}")
    photo = read_photo(tiff(codes, profile))
    wanted = (codes[..., ::-1] / top) ** 2
    assert np.abs(photo.pixels - wanted).max() < 0.02
    assert photo.encoding == "icc"
    if bits == 8:
        assert not photo.notes
    else:
        assert photo.notes == (
            "its colour profile 'swapped' is made of tables and was followed with 8 bits only",
        )


def inks(codes: NDArray[Any]) -> NDArray[Any]:
    return (1 - 0.9 * codes[:, :3]) * (1 - codes[:, 3:])


def test_four_inks_by_their_profile() -> None:
    profile = table_profile(4, inks, grid=7)
    codes = np.zeros((16, 16, 4), np.uint8)
    codes[...] = (150, 60, 20, 30)
    for form, options in (("JPEG", {"quality": 100}), ("TIFF", {})):
        image = Image.fromarray(codes, "CMYK")
        photo = read_photo(save(image, form, icc_profile=profile, **options))
        wanted = inks(codes.reshape(-1, 4) / 255).reshape(16, 16, 3)
        assert np.abs(photo.pixels - wanted).max() < 0.03
        plain = read_photo(save(image, form, **options))
        assert np.abs(plain.pixels - photo.pixels).max() > 0.05


BROKEN = {
    "nothing": b"",
    "noise": bytes(RNG.bytes(700)),
    "a head alone": rgb_profile(ADOBE, gamma(2.2))[:128],
    "cut off": rgb_profile(ADOBE, gamma(2.2))[:-30],
    "no primaries": profile({f"{c}TRC": gamma(2.2) for c in "rgb"}),
    "flat primaries": rgb_profile(ADOBE, gamma(2.2), gXYZ=b"XYZ " + bytes(16)),
    "a curve of no kind": rgb_profile(ADOBE, formula(9, 1)),
    "a power of nothing": rgb_profile(ADOBE, formula(0, 0)),
    "a table too long": rgb_profile(ADOBE, b"curv" + bytes(4) + b"\x7f\xff\xff\xff"),
    "another space": profile({}, space=b"HSV "),
    "tables that are none": profile({"A2B0": b"mft2" + bytes(60)}, pcs=b"Lab "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_profiles_cost_a_note_and_no_photo(name: str) -> None:
    codes = RNG.integers(0, 256, (9, 11, 3), dtype=np.uint8)
    photo: Photo = read_photo(save(Image.fromarray(codes), "PNG", icc_profile=BROKEN[name]))
    assert np.allclose(photo.pixels, srgb_to_linear(codes / 255), atol=1e-6)
    assert photo.encoding == "srgb"
    assert len(photo.notes) == (name != "nothing")


def test_cameras_say_adobe_rgb_in_their_exif() -> None:
    codes, _ = stored("Adobe RGB (1998)", 8)
    related = {1: Field(ASCII, b"R03\0")}
    camera = {40961: whole(SHORT, 65535), 40965: whole(LONG, 100)}
    block = b"MM\0*\0\0\0\x08" + pack_fields({34665: whole(LONG, 50)}, ">", 8)
    block = block.ljust(50, b"\0") + pack_fields(camera, ">", 50)
    block = block.ljust(100, b"\0") + pack_fields(related, ">", 100)
    photo = read_photo(save(Image.fromarray(codes), "PNG", exif=block))
    assert photo.profile == "Adobe RGB (1998)"
    assert np.abs(photo.pixels - SCENE).max() < 0.012


@pytest.mark.parametrize("kind", range(5))
def test_formulas_of_every_kind(kind: int) -> None:
    numbers = (2.0, 0.8, 0.2, 0.1, 0.25, 0.05, 0.02)[: (1, 3, 4, 5, 7)[kind]]
    curve = read_profile(rgb_profile(ADOBE, formula(kind, *numbers))).curves[0]
    g, a, b, c, d, e, f = (*numbers, *[0.0] * (7 - len(numbers)))
    x = np.linspace(0, 1, 11)
    power = np.maximum(a * x + b, 0) ** g
    wanted = {
        0: x**g,
        1: np.where(x >= -b / a if a else 0, power, 0),
        2: power + c,
        3: np.where(x >= d, power, c * x),
        4: np.where(x >= d, power + e, c * x + f),
    }[kind]
    assert np.allclose(curve(x), wanted, atol=1e-4)


def test_adobe_rgb_by_its_numbers_is_that_of_the_profile() -> None:
    read = read_profile(rgb_profile(ADOBE, gamma(563 / 256)))
    known = adobe_rgb()
    assert known.matrix is not None
    assert read.matrix is not None
    assert np.allclose(known.matrix, read.matrix, atol=1e-3)
    assert known.curves == read.curves
