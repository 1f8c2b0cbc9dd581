"""Every kind of image file becomes the right linear photo, upright, with its mask."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import DEEP, FLAT, SIZE, check, encode, linear, save
from numpy.typing import NDArray
from PIL import Image

from intrinsic_cli.kit.files import decode as decoding
from intrinsic_cli.kit.files.photo import read_photo, write_png


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


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "PNG16", "PNG16 behind", "TIFF", "TIFF16"])
def test_exif_orientation(
    turn: int, kind: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What must be seen is what Pillow makes of the same 8-bit picture."""
    if large:
        monkeypatch.setattr(decoding, "_LARGE", 0)
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
    if "16" in kind:
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
    if kind.startswith("PNG"):
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        body = b"eXIf" + block
        chunk = struct.pack(">I", len(block)) + body + struct.pack(">I", zlib.crc32(body))
        place = len(data) - 12 if kind.endswith("behind") else 33
        return data[:place] + chunk + data[place:]
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


def test_write_png(tmp_path: Path) -> None:
    write_png(tmp_path / "sheets" / "a.png", FLAT[..., :3])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheets" / "a.png")), FLAT[..., :3])
