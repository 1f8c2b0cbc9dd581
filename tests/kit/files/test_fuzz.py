"""Files that were damaged by chance: whatever they are, the answer is a photo or a DataError.

``IID_FUZZ=10000`` tries so many of each format; seeds are fixed, so that a failure can be repeated.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
import tifffile
from PIL import Image, features

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, read_photo

COUNT = int(os.environ.get("IID_FUZZ", "16"))
REAL = np.random.default_rng(0).random((13, 17, 3)).astype(np.float32)
DEEP = (REAL * 65535).astype(np.uint16)
FLAT = (REAL * 255).astype(np.uint8)
#: What breaks parsers: the ends of ranges.
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\1\0\0")


def by_opencv(suffix: str, numbers: Any) -> bytes:
    return bytes(cv2.imencode(suffix, numbers)[1].tobytes())


def by_pillow(form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(FLAT).save(file, form, **options)
    return file.getvalue()


def by_tifffile(numbers: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, numbers, photometric="rgb", **options)
    return file.getvalue()


def exr(folder: Path, compression: Any) -> bytes:
    path = folder / "a.exr"
    planes = {name: np.ascontiguousarray(REAL[..., at]) for at, name in enumerate("RGB")}
    OpenEXR.File({"compression": compression}, planes).write(str(path))
    return path.read_bytes()


SEEDS = {
    "png": by_pillow("PNG"),
    "png of 16 bits": by_opencv(".png", DEEP),
    "jpeg": by_pillow("JPEG"),
    "tiff": by_pillow("TIFF"),
    "tiff lzw": by_pillow("TIFF", compression="tiff_lzw"),
    "tiff of 16 bits": by_tifffile(DEEP, compression="zlib"),
    "tiff of floats": by_opencv(".tiff", REAL),
    "tiff of half floats": by_tifffile(REAL.astype(np.float16)),
    "big tiff": by_tifffile(REAL, bigtiff=True),
    "webp": by_pillow("WEBP"),
    "gif": by_pillow("GIF"),
    "hdr": by_opencv(".hdr", REAL),
    "pfm": by_opencv(".pfm", REAL),
    "ppm": by_opencv(".ppm", DEEP),
    "bmp": by_pillow("BMP"),
    "tga": by_pillow("TGA"),
    "exr": b"",
    "exr piz": b"",
}
if features.check("jpg_2000"):
    SEEDS["jpeg 2000"] = by_pillow("JPEG2000")
if features.check("avif"):
    SEEDS["avif"] = by_pillow("AVIF")


def damage(data: bytes, seed: int) -> bytes:
    """Some bytes changed, more often near the beginning, where the headers are; or cut off."""
    rng = np.random.default_rng(seed)
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 10)):
        reach = len(damaged) if rng.random() < 0.5 else min(len(damaged), 300)
        at = int(rng.integers(reach))
        how = rng.integers(4)
        if how == 0:
            damaged[at] = rng.integers(256)
        elif how == 1:
            damaged[at : at + 4] = rng.bytes(4)
        elif how == 2:
            damaged[at : at + 4] = EXTREMES[rng.integers(len(EXTREMES))]
        elif rng.random() < 0.3 and at:
            del damaged[at:]
    return bytes(damaged)


@pytest.mark.parametrize("form", SEEDS)
def test_only_data_errors_come_out(
    form: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = SEEDS[form]
    if form.startswith("exr"):
        piz = form.endswith("piz")
        data = exr(tmp_path, OpenEXR.PIZ_COMPRESSION if piz else OpenEXR.ZIPS_COMPRESSION)
    assert read_photo(data).pixels.shape == REAL.shape
    for seed in range(COUNT):
        check(read(damage(data, seed), f"{form}, seed {seed}"))
    assert capfd.readouterr().out == "", "stdout is for results"


def read(data: bytes, title: str) -> Photo | DataError:
    try:
        return read_photo(data)
    except DataError as error:
        return error
    except BaseException as error:
        raise AssertionError(title) from error


def check(outcome: Photo | DataError) -> None:
    if isinstance(outcome, DataError):
        assert outcome.hint
        assert "\n" not in outcome.message
    else:
        assert np.isfinite(outcome.pixels).all()
        assert outcome.pixels.min() >= 0
