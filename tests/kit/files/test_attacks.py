"""Files as a stranger might send them: each costs a sentence, and no more."""

from __future__ import annotations

import io
import os
import socket
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import decode as decoding
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files import read_bytes as reading
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.files.read_bytes import read_bytes

NUMBERS = np.arange(7 * 9 * 3).reshape(7, 9, 3)


def tiff(numbers: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, numbers, photometric="rgb" if numbers.ndim == 3 else None, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "uint32", "int64", "uint64", "complex64"]
)
@pytest.mark.parametrize("gray", [False, True])
def test_numbers_whose_white_nobody_knows_are_refused(dtype: str, gray: bool) -> None:
    numbers = (NUMBERS[..., 0] if gray else NUMBERS).astype(dtype)
    with pytest.raises(DataError) as caught:
        read_photo(tiff(numbers))
    assert caught.value.hint
    if dtype not in ("complex64",):
        assert "whose white nobody knows" in caught.value.message
        assert dtype in caught.value.message


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_the_usual_numbers_are_read(dtype: str) -> None:
    photo = read_photo(tiff(NUMBERS.astype(dtype)))
    assert photo.bits == np.dtype(dtype).itemsize * 8
    if dtype.startswith("float"):
        assert np.array_equal(photo.pixels, NUMBERS)


def test_big_tiff() -> None:
    photo = read_photo(tiff(NUMBERS.astype(np.float32), bigtiff=True))
    assert np.array_equal(photo.pixels, NUMBERS)


def test_doubles_beyond_float32(capfd: pytest.CaptureFixture[str]) -> None:
    numbers = np.ones((4, 5, 3))
    numbers[0, 0] = 1e300
    photo = read_photo(tiff(numbers))
    assert np.array_equal(photo.pixels, np.ones((4, 5, 3)))
    assert photo.repaired == pytest.approx(0.05)


def png(width: int, height: int, depth: int = 8) -> bytes:
    """A small file that claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    chunks = [chunk(b"IHDR", head), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def gif(width: int, height: int, screen: tuple[int, int]) -> bytes:
    """A frame may be larger than the screen it is on."""
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0xF0, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return head + frame + b"\x02\x02\x4c\x01\x00\x3b"


def tiff_head(width: int, height: int) -> bytes:
    data = bytearray(cv2.imencode(".tiff", NUMBERS.astype(np.float32))[1].tobytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in (256, 257):
            struct.pack_into("<HIHH", data, at + 2, 3, 1, width if tag == 256 else height, 0)
    return bytes(data)


def exr_head(side: int) -> bytes:
    """The data window of a real file, changed."""
    import tempfile

    import OpenEXR

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.exr")
        planes = {name: np.zeros((4, 4), np.float32) for name in "RGB"}
        OpenEXR.File({"compression": OpenEXR.NO_COMPRESSION}, planes).write(str(path))
        data = path.read_bytes()
    old, new = struct.pack("<iiii", 0, 0, 3, 3), struct.pack("<iiii", 0, 0, side - 1, side - 1)
    assert data.count(old) == 2
    return data.replace(old, new)


BOMBS = {
    "png": png(30000, 30000),
    "png16": png(30000, 30000, 16),
    "gif": gif(46152, 6496, (46152, 6496)),
    "gif frame": gif(46152, 6496, (10, 10)),
    "tiff": tiff_head(60000, 60000),
    "big tiff": tiff(np.zeros((4, 5, 3), np.float32), bigtiff=True).replace(
        struct.pack("<HHQQ", 256, 4, 1, 5), struct.pack("<HHQQ", 256, 4, 1, 1 << 31)
    ),
    "hdr": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n" + bytes(1000),
    "pfm": b"PF\n60000 60000\n-1.0\n" + bytes(1000),
    "pgm": b"P5\n60000 60000\n65535\n" + bytes(1000),
    "exr": exr_head(30000),
    "bmp": b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, 30000, 30000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(900),
    "huge png": png(2**31 - 1, 2**31 - 1),
}  # fmt: skip


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 GiB."""
    monkeypatch.setattr(memory, "pixel_limit", lambda: (16 << 30) // memory.BYTES_PER_PIXEL)


def refuse(*given: Any) -> None:
    raise AssertionError("decoded before its size was looked at")


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("name", BOMBS)
def test_sizes_are_looked_at_before_decoding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_read_opencv", refuse)
    monkeypatch.setattr(Image.Image, "load", refuse)
    with pytest.raises(DataError, match="more than fit") as caught:
        read_photo(BOMBS[name])
    assert "million pixels" in caught.value.hint
    assert "--max-pixels" in caught.value.hint


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("name", BOMBS)
def test_the_limit_can_be_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower for all, higher for those who know better; never beyond what OpenCV can take."""
    monkeypatch.setattr(decoding, "_read_opencv", refuse)
    with memory.at_most(100_000), pytest.raises(DataError, match="more than are allowed"):
        read_photo(BOMBS[name])
    with memory.at_most(10_000):
        memory.check_pixels(100, 100)
        with pytest.raises(DataError, match="more than are allowed") as caught:
            memory.check_pixels(101, 100)
        assert "0.01 million" in caught.value.hint
    with memory.at_most(10), pytest.raises(DataError) as caught:
        memory.check_pixels(4, 3)
    assert "at most 10 pixels" in caught.value.hint
    with memory.at_most(1 << 40), pytest.raises(DataError) as caught:
        memory.check_pixels(1 << 16, 1 << 16)
    assert "--max-pixels" not in caught.value.hint
    with memory.at_most(1 << 30):
        memory.check_pixels(30000, 30000)


@pytest.mark.parametrize("limit", [None, 100, 10**9])
def test_pillow_s_own_limit_ends_as_a_sentence(
    limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever somebody else has set it to."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for bomb in BOMBS.values():
            with pytest.raises(DataError):
                read_photo(bomb)


def test_the_limit_follows_memory() -> None:
    assert memory.pixel_limit() * memory.BYTES_PER_PIXEL <= memory.memory()
    assert memory.pixel_limit() <= 1 << 30
    memory.check_pixels(4000, 3000)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-4, -5)])
def test_pictures_without_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="damaged"):
        memory.check_pixels(*size)


def test_postscript_starts_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "started"
    gs = tmp_path / "gs"
    gs.write_text(f"#!/bin/sh\ntouch {marker}\n")
    gs.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n%%EOF\n")
    with pytest.raises(DataError, match="not an image iid can read"):
        read_photo(photo)
    assert not marker.exists()


def test_a_pipe_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: it is a pipe") as caught:
        read_photo(tmp_path / "a.png")
    assert "standard input" in caught.value.hint


def test_a_device_does_not_fill_memory() -> None:
    with pytest.raises(DataError, match="it is a device"):
        read_photo(Path("/dev/zero"))


def test_folders_sockets_links_and_names(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(DataError):
            read_photo(tmp_path / "s")
    with pytest.raises(DataError, match=r"folder|directory"):
        read_photo(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="symbolic links"):
        read_photo(tmp_path / "loop")
    with pytest.raises(DataError, match="null"):
        read_photo(tmp_path / "a\0b")


def test_no_more_memory_is_asked_for_than_a_file_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines that many share refuse what they could not give."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"twelve bytes")
    monkeypatch.setattr(reading, "memory", lambda: 1 << 62)
    assert read_bytes(path) == b"twelve bytes"


def test_files_too_large_to_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(memory.memory())
    with pytest.raises(DataError, match=r"a\.png: it has \d+ MiB, more than"):
        read_photo(path)
    assert read_bytes(Path(__file__)) == Path(__file__).read_bytes()
