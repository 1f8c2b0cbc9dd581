"""Image files → photos in linear light.

Pillow reads most formats and knows palettes, CMYK and orientation, but silently cuts 16-bit colour
to 8 bits; so files that may be deeper go to OpenCV, and EXR to OpenEXR. A format iid does not know
yet (RAW, HEIF) is one more row in :data:`READERS`."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.exr import read_exr
from intrinsic_cli.kit.files.formats import ENCODINGS
from intrinsic_cli.kit.files.half_tiff import read_half
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import decode_codes, srgb_to_linear

# Pillow takes pictures above 89 megapixels for an attack and warns; a stitched panorama is no
# attack.
Image.MAX_IMAGE_PIXELS = 1 << 30

AGAIN = "copy or download it again"

#: Numbers as a file holds them: [H,W] or [H,W,C], C 1..4, red first; uint8, uint16 or float.
Codes = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo in linear light: ``pixels`` [H,W,3] float32 ≥ 0, ``alpha`` [H,W] in 0..1 or None.

    ``encoding`` is how the file's numbers were understood (``srgb`` or ``linear``), ``bits`` how
    many each channel had, ``clipped`` the fraction of visible pixels with a channel at its limit,
    ``repaired`` the fraction that was negative or not finite (float files only)."""

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None = None
    encoding: str = "srgb"
    bits: int = 8
    clipped: float = 0.0
    repaired: float = 0.0


def read_photo(source: Path | bytes, encoding: str = "auto") -> Photo:
    """Decode one image file. ``encoding`` ``auto``: float formats are linear, all others sRGB.
    DataError if broken."""
    if encoding not in ENCODINGS:
        raise UsageError(f"there is no input encoding {encoding!r}", f"use {', '.join(ENCODINGS)}")
    if isinstance(source, bytes):
        return to_photo(_decode(source), encoding)
    try:
        return read_photo(source.read_bytes(), encoding)
    except OSError as error:
        raise DataError(f"{source}: {(error.strerror or str(error)).lower()}") from error
    except DataError as error:
        raise DataError(f"{source}: {error.message}", error.hint) from error


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture to look at, [H,W,3] uint8, atomically."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG", compress_level=4)


def _decode(data: bytes) -> Codes:
    if not data:
        raise DataError("the file is empty", AGAIN)
    read = next((read for belongs, read in READERS if belongs(data)), _read_pillow)
    return read(data)


def _read_pillow(data: bytes) -> Codes:
    try:
        # Pillow warns of odd metadata; what matters of it ends in an error or in pixels.
        with (
            warnings.catch_warnings(action="ignore", category=UserWarning),
            Image.open(io.BytesIO(data)) as image,
        ):
            image.load()
            return np.asarray(_plain(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError as error:
        hint = "iid reads JPEG, PNG, TIFF, WebP, EXR, HDR, BMP, GIF and what else Pillow knows"
        raise DataError("it is not an image iid can read", hint) from error
    except Image.DecompressionBombError as error:
        raise DataError(
            "the image has more than two billion pixels", "cut it into pieces"
        ) from error
    # Pillow's decoders end in any of these when a file breaks off or lies about itself.
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        struct.error,
        zlib.error,
    ) as error:
        raise DataError("the image is truncated or damaged", AGAIN) from error


def _plain(image: Image.Image) -> Image.Image:
    """Any Pillow mode → one whose array is gray, RGB or RGBA."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode.startswith("I"):
        return image.convert("I;16")
    return image if image.mode in ("L", "F", "RGB") else image.convert("RGB")


def _read_deep(data: bytes) -> Codes:
    """Formats that may hold 16-bit or float numbers: OpenCV if they do, Pillow for their 8-bit
    kinds."""
    png = data.startswith(PNG)
    if png:
        _check_png(data)
    codes = _read_opencv(data)
    if codes is None:
        half = read_half(data, _read_opencv) if data.startswith(TIFF) else None
        return _read_rare(data) if half is None else half
    if codes.dtype == np.uint8:
        return _read_pillow(data)
    return _orient(codes, data) if png else codes  # OpenCV turns TIFFs itself


def _read_rare(data: bytes) -> Codes:
    try:
        return _read_pillow(data)
    except DataError as error:
        hint = "save it as a PNG, or as a TIFF of 8, 16 or 32 bits"
        raise DataError(
            "the image is truncated, or of a rare kind iid cannot read", hint
        ) from error


def _read_opencv(data: bytes) -> Codes | None:
    try:
        codes: Codes | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return codes if codes is None or codes.ndim == 2 else codes[..., [2, 1, 0, 3][: codes.shape[2]]]


def _read_radiance(data: bytes) -> Codes:
    codes = _read_opencv(data)
    if codes is None:
        raise DataError("the image is truncated or damaged", AGAIN)
    return codes


def _check_png(data: bytes) -> None:
    """OpenCV prints when a PNG is broken; Pillow's check of the chunks finds that quietly
    beforehand."""
    try:
        Image.open(io.BytesIO(data)).verify()
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError("the image is truncated or damaged", AGAIN) from error


def _orient(codes: Codes, data: bytes) -> Codes:
    """Turn the picture upright as its EXIF orientation (1..8) says."""
    turn = Image.open(io.BytesIO(data)).getexif().get(ExifTags.Base.Orientation, 1)
    if turn in (5, 6, 7, 8):
        codes = codes.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        codes = codes[::-1]
    return codes[:, ::-1] if turn in (2, 3, 6, 7) else codes


def to_photo(codes: Codes, encoding: str = "auto") -> Photo:
    """Numbers as files hold them, [H,W] or [H,W,C] with C 1..4, uint8, uint16 or float, red first,
    alpha last → a photo. ``encoding`` ``auto``: floats are linear, all others sRGB."""
    colours, alpha = _split_alpha(codes if codes.ndim == 3 else codes[..., None])
    real = codes.dtype.kind == "f"
    used = encoding if encoding != "auto" else ("linear" if real else "srgb")
    pixels, repaired = _from_float(colours, used) if real else (decode_codes(colours, used), 0.0)
    pixels = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)
    clipped = 0.0 if real else _clipped(colours, alpha)
    return Photo(pixels, alpha, used, codes.dtype.itemsize * 8, clipped, repaired)


def _split_alpha(codes: Codes) -> tuple[Codes, NDArray[np.float32] | None]:
    if codes.shape[2] not in (2, 4):
        return codes, None
    top = 1.0 if codes.dtype.kind == "f" else float(np.iinfo(codes.dtype).max)
    alpha = np.nan_to_num(codes[..., -1].astype(np.float32) / np.float32(top))
    return codes[..., :-1], np.clip(alpha, 0.0, 1.0)


def _from_float(values: Codes, encoding: str) -> tuple[NDArray[np.float32], float]:
    """Float light ≥ 0 and finite: NaN and negatives become 0, infinity the brightest finite
    value."""
    pixels = np.array(values, np.float32)
    finite = np.isfinite(pixels)
    bad = ~finite | (pixels < 0)
    if bad.any():
        brightest = pixels[finite].max(initial=0.0)
        pixels = np.clip(
            np.nan_to_num(pixels, nan=0.0, posinf=brightest, neginf=0.0), 0.0, brightest
        )
    if encoding == "srgb":
        pixels = srgb_to_linear(pixels)
    return pixels, float(bad.any(axis=2).mean())


def _clipped(codes: Codes, alpha: NDArray[np.float32] | None) -> float:
    top = np.iinfo(codes.dtype).max
    hit = codes[..., 0] == top
    for channel in range(1, codes.shape[2]):
        hit |= codes[..., channel] == top
    visible = hit if alpha is None else hit[alpha > 0]
    return float(visible.mean()) if visible.size else 0.0


PNG = b"\x89PNG\r\n\x1a\n"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
OTHER_DEEP = (b"P5", b"P6", b"PF", b"Pf", b"\0\0\0\x0cjP  ")  # PNM, PFM, JPEG 2000


def _is_deep(data: bytes) -> bool:
    return data.startswith((*TIFF, *OTHER_DEEP)) or (
        data.startswith(PNG) and data[24:25] == b"\x10"
    )


#: (does the file belong to this reader?, the reader), in order; whatever nobody claims goes to
#: Pillow.
READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Codes]], ...] = (
    (lambda data: data.startswith(b"\x76\x2f\x31\x01"), read_exr),
    (lambda data: data.startswith(b"#?"), _read_radiance),
    (_is_deep, _read_deep),
)
