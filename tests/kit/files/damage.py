"""Files of every format that is read, and ways to damage them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import tifffile
from PIL import Image, features
from profiles import ADOBE, DISPLAY_P3, SRGB_CURVE, formula, gamma, rgb_profile, table_profile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files.exif import exif_block
from intrinsic_cli.kit.files.file_parts import Asked
from intrinsic_cli.kit.files.float_files import open_float_rows
from intrinsic_cli.kit.files.formats import HEIF
from intrinsic_cli.kit.files.metadata import read_metadata
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, read_photo

REAL = np.random.default_rng(0).random((13, 17, 3)).astype(np.float32)
DEEP = (REAL * 65535).astype(np.uint16)
FLAT = (REAL * 255).astype(np.uint8)
#: What breaks parsers: the ends of ranges.
EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\1\0\0")
#: Larger pictures are not worth the time that decoding them takes.
LARGEST = 1 << 20
#: Of TIFFs: compressed by zlib, with the predictor for floats.
DEFLATED = (cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_PREDICTOR, 3)


@cache
def seeds() -> dict[str, bytes]:
    """Whole files by the name of what they are."""
    adobe = rgb_profile(ADOBE, gamma(2.2))
    tables = table_profile(3, lambda codes: codes**2, grid=3)
    found = {
        "png": by_pillow("PNG"),
        "png of 16 bits": by_opencv(".png", DEEP),
        "png with profile and exif": by_pillow("PNG", icc_profile=adobe, exif=exif()),
        "png with a profile of tables": by_pillow("PNG", icc_profile=tables),
        "jpeg": by_pillow("JPEG"),
        "jpeg with profile and exif": by_pillow("JPEG", icc_profile=adobe, exif=exif()),
        "jpeg of four inks": by_pillow("JPEG", mode="CMYK"),
        "tiff": by_pillow("TIFF"),
        "tiff lzw": by_pillow("TIFF", compression="tiff_lzw"),
        "tiff of 16 bits": by_tifffile(DEEP, compression="zlib", iccprofile=adobe),
        "tiff in planes": by_tifffile(np.moveaxis(DEEP, 2, 0), planarconfig="separate"),
        "tiff in tiles": by_tifffile(DEEP, tile=(16, 16), byteorder=">"),
        "tiff of floats": by_opencv(".tiff", REAL),
        "tiff of half floats": by_tifffile(REAL.astype(np.float16)),
        "big tiff": by_tifffile(REAL, bigtiff=True),
        "webp": by_pillow("WEBP"),
        "gif": by_pillow("GIF"),
        "tiff of floats, deflated": by_opencv(".tiff", REAL, *DEFLATED),
        "hdr": by_opencv(".hdr", REAL),
        "pfm": by_opencv(".pfm", REAL),
        "ppm": by_opencv(".ppm", DEEP),
        "bmp": by_pillow("BMP"),
        "tga": by_pillow("TGA"),
        "exr": exr(OpenEXR.ZIPS_COMPRESSION, ""),
        "exr piz": exr(OpenEXR.PIZ_COMPRESSION, ""),
        "exr of layers": exr(OpenEXR.ZIP_COMPRESSION, "albedo."),
    }
    if features.check("jpg_2000"):
        found["jpeg 2000"] = by_pillow("JPEG2000")
    if features.check("avif"):
        profile = rgb_profile(DISPLAY_P3, formula(3, *SRGB_CURVE))
        found["avif"] = by_pillow("AVIF", icc_profile=profile, exif=exif())
    if HEIF.is_readable:
        found["heic"] = heic()
    return found


def exif() -> bytes:
    made = Image.Exif()
    made[271], made[274] = "House", 6
    made.get_ifd(34665)[33437] = 2.8
    return made.tobytes()


def by_opencv(suffix: str, numbers: Any, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, numbers, options)[1].tobytes())


def by_pillow(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(FLAT).convert(mode).save(file, form, **options)
    return file.getvalue()


def by_tifffile(numbers: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, numbers, photometric="rgb", **options)
    return file.getvalue()


def exr(compression: Any, layer: str) -> bytes:
    planes = {name: np.ascontiguousarray(REAL[..., at]) for at, name in enumerate("RGB")}
    if layer:
        planes |= {f"{layer}{name}": plane for name, plane in planes.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.exr")
        OpenEXR.File({"compression": compression}, planes).write(str(path))
        return path.read_bytes()


def heic() -> bytes:
    import pillow_heif

    file = io.BytesIO()
    size = (FLAT.shape[1], FLAT.shape[0])
    pillow_heif.from_bytes("RGB", size, FLAT.tobytes()).save(file, exif=exif())
    return file.getvalue()


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


def outcome(data: bytes) -> str:
    """``photo``, "" for a DataError as it should be, or what is wrong; read whole, and row by row
    where that can be."""
    found = told_of(lambda: read_photo(data))
    wrong = "" if found == "photo" else found
    return wrong or wrong_rows(data) or wrong_metadata(data) or found


def told_of(read: Callable[[], Photo]) -> str:
    """The same of one way to read it."""
    try:
        with memory.at_most(LARGEST):
            photo = read()
    except DataError as error:
        if not error.hint or "\n" in error.message:
            return f"a sentence without a hint: {error.message}"
        return ""
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return wrong_photo(photo) or "photo"


def wrong_rows(data: bytes) -> str:
    """What is wrong where floats are read row by row, "" if nothing."""

    def read() -> Photo:
        found = open_float_rows(Asked(path), "auto")
        if found is None:
            raise DataError("it must be read whole", "which is tried as well")
        _, rows = found
        return rows.rows(slice(0, rows.size[0]))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged")
        path.write_bytes(data)
        told = told_of(read)
    return f"row by row: {told}" if told not in ("photo", "") else ""


def wrong_photo(photo: Photo) -> str:
    """What is wrong with it, "" if nothing."""
    if not np.isfinite(photo.pixels).all() or photo.pixels.min() < 0:
        return "pixels that are no light"
    return ""


def wrong_metadata(data: bytes) -> str:
    """Metadata never raise, whatever the pixels do, and what is kept of them can be written."""
    try:
        exif_block(read_metadata(data).exif)
    except BaseException as error:
        return f"{type(error).__name__} from metadata: {error}"
    return ""
