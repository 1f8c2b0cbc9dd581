"""Every kind of image file becomes the right linear photo; every layer format gives back what was
put in."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.api import DataError, IidError, UsageError
from intrinsic_cli.kit.files.opencv import cv2, load
from intrinsic_cli.kit.files.photo import Photo, read_photo, to_photo, write_png
from intrinsic_cli.kit.light.colour import srgb_to_linear

RNG = np.random.default_rng(0)
SIZE = (23, 31)
DEEP = RNG.integers(0, 65536, (*SIZE, 4)).astype(np.uint16)
FLAT = (DEEP >> 8).astype(np.uint8)
REAL = RNG.random((*SIZE, 3)).astype(np.float32) * 3


def encode(suffix: str, codes: NDArray[Any]) -> bytes:
    """By OpenCV, from red-first codes."""
    swapped = codes if codes.ndim == 2 else codes[..., [2, 1, 0, 3][: codes.shape[2]]]
    return bytes(cv2.imencode(suffix, swapped)[1].tobytes())


def save(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def linear(codes: NDArray[Any]) -> NDArray[Any]:
    return srgb_to_linear(codes / np.iinfo(codes.dtype).max)


def check(photo: Photo, codes: NDArray[Any], bits: int, atol: float = 1e-6) -> None:
    colours = codes if codes.ndim == 3 else codes[..., None].repeat(3, axis=2)
    assert photo.pixels.dtype == np.float32
    assert photo.pixels.shape == colours[..., :3].shape
    assert np.allclose(photo.pixels, linear(colours[..., :3]), atol=atol)
    assert (photo.encoding, photo.bits) == ("srgb", bits)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".bmp"])
def test_8_bit_colour(suffix: str) -> None:
    check(read_photo(encode(suffix, FLAT[..., :3])), FLAT[..., :3], 8)


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".ppm"])
def test_16_bits_stay_16_bits(suffix: str) -> None:
    check(read_photo(encode(suffix, DEEP[..., :3])), DEEP[..., :3], 16)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(("codes", "bits"), [(FLAT[..., 0], 8), (DEEP[..., 0], 16)])
def test_gray_becomes_rgb(suffix: str, codes: NDArray[Any], bits: int) -> None:
    check(read_photo(encode(suffix, codes)), codes, bits)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(("codes", "bits"), [(FLAT, 8), (DEEP, 16)])
def test_alpha_is_the_mask(suffix: str, codes: NDArray[Any], bits: int) -> None:
    photo = read_photo(encode(suffix, codes))
    check(photo, codes, bits)
    assert photo.alpha is not None
    assert np.allclose(photo.alpha, codes[..., 3] / np.iinfo(codes.dtype).max, atol=1e-6)


def test_16_bit_gray_with_alpha() -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in DEEP[..., [0, 3]].astype(">u2"))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE[1], SIZE[0], 16, 4, 0, 0, 0))
    photo = read_photo(
        b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    check(photo, DEEP[..., 0], 16)
    assert photo.alpha is not None
    assert np.allclose(photo.alpha, DEEP[..., 3] / 65535, atol=1e-6)


def test_gray_with_alpha() -> None:
    photo = read_photo(save(Image.fromarray(np.ascontiguousarray(FLAT[..., [0, 3]]), "LA"), "PNG"))
    check(photo, FLAT[..., 0], 8)
    assert photo.alpha is not None


def test_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (4, 3), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)
    photo = read_photo(save(image, "PNG", transparency=0))
    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 0
    assert photo.alpha[1:].min() == 1
    assert np.allclose(photo.pixels[2, 3], linear(np.array([200, 100, 50], np.uint8)), atol=1e-6)


def test_palette_without_transparency() -> None:
    image = Image.fromarray(FLAT[..., :3]).quantize(16)
    photo = read_photo(save(image, "GIF"))
    assert photo.alpha is None
    assert np.allclose(photo.pixels, linear(np.asarray(image.convert("RGB"))), atol=1e-6)


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk(form: str) -> None:
    image = Image.new("RGB", (16, 16), (200, 100, 50)).convert("CMYK")
    check(
        read_photo(save(image, form)), np.full((16, 16, 3), (200, 100, 50), np.uint8), 8, atol=0.02
    )


def test_jpeg_and_webp() -> None:
    smooth = np.tile(np.linspace(20, 220, 64).astype(np.uint8)[None, :, None], (48, 1, 3))
    for form in ("JPEG", "WEBP"):
        check(read_photo(save(Image.fromarray(smooth), form, quality=98)), smooth, 8, atol=0.02)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "PNG16", "TIFF", "TIFF16"])
def test_exif_orientation(turn: int, kind: str) -> None:
    """What must be seen is what Pillow makes of the same 8-bit picture."""
    upright = {
        1: 0,
        2: "FLIP_LEFT_RIGHT",
        3: "ROTATE_180",
        4: "FLIP_TOP_BOTTOM",
        5: "TRANSPOSE",
        6: "ROTATE_270",
    }
    how = (upright | {7: "TRANSVERSE", 8: "ROTATE_90"})[turn]
    image = Image.fromarray(FLAT[..., :3])
    seen = image.transpose(Image.Transpose[how]) if how else image
    codes = np.asarray(seen)
    if kind.endswith("16"):
        data = _oriented_16_bit(kind, turn)
        check(read_photo(data), codes.astype(np.uint16) * 257, 16)
        return
    exif = Image.Exif()
    exif[274] = turn
    check(read_photo(save(image, kind, exif=exif)), codes, 8)


def _oriented_16_bit(kind: str, turn: int) -> bytes:
    data = encode(".tiff" if kind == "TIFF16" else ".png", FLAT[..., :3].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[274] = turn
    if kind == "PNG16":
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        body = b"eXIf" + block
        chunk = struct.pack(">I", len(block)) + body + struct.pack(">I", zlib.crc32(body))
        return data[:33] + chunk + data[33:]
    return _with_tiff_orientation(data, turn)


def _with_tiff_orientation(data: bytes, turn: int) -> bytes:
    """Add the tag to a little-endian TIFF: a copy of its directory with one more entry at the end
    of the file."""
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    entries = [data[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != 274]
    entries.append(struct.pack("<HHIHH", 274, 3, 1, turn, 0))
    entries.sort(key=lambda entry: int(struct.unpack_from("<H", entry)[0]))
    data += b"\0" * (len(data) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + directory


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


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not an image"),
        (encode(".png", FLAT)[:900], "truncated"),
        (encode(".png", DEEP)[:900], "truncated"),
        (encode(".tiff", DEEP)[:900], "truncated"),
        (encode(".tiff", REAL)[:900], "truncated"),
        (encode(".hdr", REAL)[:60], "truncated"),
        (save(Image.fromarray(FLAT[..., :3]), "JPEG")[:700], "truncated"),
        (save(Image.fromarray(FLAT[..., :3]), "WEBP")[:200], "truncated|not an image"),
        (b"\x76\x2f\x31\x01" + b"nonsense" * 9, "truncated"),
    ],
)
def test_broken_files(
    data: bytes, words: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_photo(data)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    (tmp_path / "bad.jpg").write_bytes(data)
    with pytest.raises(DataError, match=r"bad\.jpg: "):
        read_photo(tmp_path / "bad.jpg")
    assert capfd.readouterr() == ("", ""), "decoders keep quiet"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_photo(tmp_path / "nothing.png")


def test_write_png(tmp_path: Path) -> None:
    write_png(tmp_path / "sheets" / "a.png", FLAT[..., :3])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheets" / "a.png")), FLAT[..., :3])


def test_a_missing_opencv_is_explained() -> None:
    with pytest.raises(Exception, match="OpenCV is not installed") as caught:
        load("cv2_that_is_not_there")
    assert "pip install" in getattr(caught.value, "hint", "")


def test_opencv_without_its_libraries_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cv2_bare.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(IidError, match="cannot be loaded: libGL") as caught:
        load("cv2_bare")
    remove, _, install = caught.value.hint.partition(" && ")
    assert remove == "pip uninstall -y opencv-python"
    assert "--force-reinstall" in install, "both packages share one folder"
