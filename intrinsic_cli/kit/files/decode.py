"""Bytes of an image file → the numbers it holds.

Pillow reads most formats and knows palettes, CMYK and orientation, but silently cuts 16-bit colour
to 8 bits; so files that may be deeper go to OpenCV, EXR to OpenEXR, and RAW and HEIC photos to
their extras. Another format is one more row in :data:`READERS`.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import exr
from intrinsic_cli.kit.files.extras import read_extra
from intrinsic_cli.kit.files.formats import PILLOW_FORMATS, other_content
from intrinsic_cli.kit.files.memory import check_pixels
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.out_of_memory import HINT, OUT_OF_MEMORY, has_room, is_out_of_memory
from intrinsic_cli.kit.files.png_chunks import SIGNATURE, first_chunk
from intrinsic_cli.kit.files.profiled import from_cmyk
from intrinsic_cli.kit.files.quiet import decoding
from intrinsic_cli.kit.files.read_bytes import read_bytes
from intrinsic_cli.kit.files.tiff import (
    BIG_TIFF,
    TIFF,
    as_classic,
    is_odd,
    lies_on_its_side,
    read_tiff,
    tiff_size,
)

# Pillow's own limit would only warn; ours (files.memory) is asked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
# Pillow warns of odd metadata; what matters of it ends in an error or in pixels. A filter for each
# decoding would not be safe in threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\b")

_FORMATS = [form for form in PILLOW_FORMATS if form != "AVIF" or find_spec("PIL.AvifImagePlugin")]

DAMAGED = "the image is truncated or damaged"
AGAIN = "copy or download it again"
RARE = "the image is truncated, or of a rare kind iid cannot read"
AS_USUAL = "save it as a PNG, or as a TIFF of 8, 16 or 32 bits"
KNOWN = "iid reads JPEG, PNG, TIFF, WebP, EXR, HDR, BMP, GIF, AVIF, JPEG 2000, PNM, PFM and TGA"

_DEEP = (*TIFF, *BIG_TIFF, b"P5", b"P6", b"PF", b"Pf", b"\0\0\0\x0cjP  ")  # PNM, PFM, JPEG 2000

_LARGE = 32 << 20  # bytes of a file; of photos of 16 bits, 8 megapixels have as many

# What Pillow's decoders end in when a file breaks off or lies about itself.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError),
    *(OverflowError, MemoryError, RuntimeError, ZeroDivisionError, Warning),
    *(struct.error, zlib.error),
)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """DataErrors of the block name the file."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}: {error.message}", error.hint) from error


def decode_file(path: Path, layer: str = "") -> NDArray[Any]:
    """As :func:`decode`, of a file; the DataError names it."""
    with named(path):
        return decode(read_bytes(path), layer, path.suffix)


def decode(data: bytes, layer: str = "", suffix: str = "") -> NDArray[Any]:
    """The numbers of an image file as it holds them: [H,W] or [H,W,C], C 1..4, red first; uint8,
    uint16 or float. ``layer`` chooses one of an EXR's; the ``suffix`` of the file's name tells RAW
    photos that begin as TIFFs do. DataError where there is no such picture.

    Four inks become sRGB, by their profile where there is one; other profiles are left to
    :mod:`~intrinsic_cli.kit.files.photo`. RAW photos are floats of linear light."""
    if not data:
        raise DataError("the file is empty", AGAIN)
    other = other_content(data, suffix.lower())
    if other is not None:
        with decoding():
            return read_extra(data, other)
    if data.startswith(exr.MAGIC):
        return exr.read_exr(data, layer)
    if layer:
        raise DataError(f"it has no layer {layer!r}", "only an EXR has layers to choose from")
    with decoding():
        read = next((read for belongs, read in READERS if belongs(data)), _read_pillow)
        codes = read(data)
    return _usual(codes)


def _usual(codes: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, if they are of a type whose range is known."""
    if codes.dtype.kind == "f" or codes.dtype in (np.uint8, np.uint16):
        return codes
    hint = "save it with 8 or 16 bits without sign, or as floats"
    raise DataError(f"the image holds {codes.dtype.name}, whose white nobody knows", hint)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Pillow's picture, not yet decoded, of a size that fits. All that goes wrong in the block
    becomes a DataError."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            check_pixels(*image.size)
            yield image
    except UnidentifiedImageError as error:
        raise DataError("it is not an image iid can read", KNOWN) from error
    except Image.DecompressionBombError as error:
        raise DataError("the image says it has too many pixels", "cut it into pieces") from error
    except _BROKEN as error:
        _refuse_if_short(error, data)
        raise DataError(DAMAGED, AGAIN) from error


def _refuse_if_short(error: BaseException, data: bytes) -> None:
    """DataError where it was memory that ran out, and not the file that lied."""
    if not is_out_of_memory(error):
        return
    size = _size_told(data)
    if size is not None and not has_room(*size):
        raise DataError(OUT_OF_MEMORY, HINT) from error


def _size_told(data: bytes) -> tuple[int, int] | None:
    """(width, height) by the beginning of the file, None where that does not tell."""
    size = tiff_size(data) or _size_in_words(data)
    with suppress(*_BROKEN), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        size = size or image.size
    return size


def _read_pillow(data: bytes) -> NDArray[Any]:
    with _opened(data) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return np.asarray(_plain(image))


def _plain(image: Image.Image) -> Image.Image:
    """Any Pillow mode → one whose array is gray, RGB or RGBA."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "CMYK":
        return from_cmyk(image, image.info.get("icc_profile", b""))
    if image.mode.startswith("I;16"):
        return image.convert("I;16")
    return image if image.mode in ("L", "F", "I", "RGB") else image.convert("RGB")


def _is_deep(data: bytes) -> bool:
    """May it hold 16-bit or float numbers?"""
    return data.startswith(_DEEP) or (data.startswith(SIGNATURE) and data[24:25] == b"\x10")


def _read_deep(data: bytes) -> NDArray[Any]:
    """Formats that may hold 16-bit or float numbers: OpenCV if they do, Pillow for their 8-bit
    kinds."""
    png = data.startswith(SIGNATURE)
    if png:
        _check_png(data)
    else:
        _check_size(data)
    data = as_classic(data)
    tiff = data.startswith((*TIFF, *BIG_TIFF))
    codes = read_tiff(data, _read_opencv) if tiff else _read_opencv(data)
    if codes is None:
        return _read_rare(data, by_pillow=not (tiff and is_odd(data)))
    if codes.dtype == np.uint8 and not (tiff and is_odd(data)):
        return _read_pillow(data)
    return _orient(codes, data) if png else codes  # OpenCV turns TIFFs itself


def _check_png(data: bytes) -> None:
    """OpenCV prints when a PNG is broken; Pillow's check of the chunks finds that quietly
    beforehand."""
    with _opened(data) as image:
        image.verify()


def _check_size(data: bytes) -> None:
    """Pillow knows the size of most, but not of every TIFF nor of PFM."""
    size = tiff_size(data) or _size_in_words(data)
    if size is not None:
        check_pixels(*size)
        return
    with _opened(data):
        return


def _size_in_words(data: bytes) -> tuple[int, int] | None:
    """(width, height) as PNM and PFM have them in their header, where they do."""
    if not data.startswith(b"P"):
        return None
    lines = [line.partition(b"#")[0] for line in data[:4096].split(b"\n")]
    words = b" ".join(lines).split()[1:3]
    if len(words) < 2 or not all(word.isdigit() for word in words):
        return None
    return int(words[0]), int(words[1])


def _read_rare(data: bytes, by_pillow: bool) -> NDArray[Any]:
    """What OpenCV cannot read."""
    if not by_pillow:
        raise DataError(RARE, AS_USUAL)
    try:
        return _read_pillow(data)
    except DataError as error:
        raise DataError(RARE, AS_USUAL) from error


def _read_opencv(data: bytes) -> NDArray[Any] | None:
    try:
        codes = _decoded(data)
    except (cv2.error, MemoryError) as error:
        _refuse_if_short(error, data)
        return None
    if codes is None or codes.ndim == 2:
        return codes
    if codes.shape[2] >= 3:
        _swap(codes)
    return codes


def _decoded(data: bytes) -> NDArray[Any] | None:
    """As OpenCV has it. What it decodes from memory it hands over as a copy, for which large
    pictures have no room; what it reads from disk, as it is, unless it has to be turned."""
    codes: NDArray[Any] | None
    if len(data) >= _LARGE and not lies_on_its_side(data):
        with suppress(OSError, TypeError), TemporaryDirectory() as folder:
            path = Path(folder, "photo.tif")
            path.write_bytes(data)
            codes = cv2.imread(str(path), None, cv2.IMREAD_UNCHANGED)  # since OpenCV 4.11
            return codes
    codes = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return codes


def _swap(codes: NDArray[Any]) -> None:
    """Blue first → red first, in place: large pictures have no room for a copy."""
    for row in codes:
        blue = row[:, 0].copy()
        row[:, 0] = row[:, 2]
        row[:, 2] = blue


def _read_radiance(data: bytes) -> NDArray[Any]:
    """HDR: its size stands in a line of text below the header."""
    for line in data[:4096].split(b"\n\n", 1)[-1].split(b"\n", 1)[:1]:
        words = line.split()
        if len(words) == 4 and words[1].isdigit() and words[3].isdigit():
            check_pixels(int(words[3]), int(words[1]))
    codes = _read_opencv(data)
    if codes is None:
        raise DataError(DAMAGED, AGAIN)
    return codes


def _orient(codes: NDArray[Any], data: bytes) -> NDArray[Any]:
    """Turn the picture of a PNG upright as its EXIF orientation (1..8) says."""
    behind = first_chunk(data, b"eXIf")
    with _opened(data) as image:
        if behind:
            image.info["exif"] = behind
        # Asked as a PNG, Pillow would decode the picture to see whether EXIF comes behind it.
        turn = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    if turn in (5, 6, 7, 8):
        codes = codes.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        codes = codes[::-1]
    return codes[:, ::-1] if turn in (2, 3, 6, 7) else codes


#: (does the file belong to this reader?, the reader), in order; whatever nobody claims goes to
#: Pillow.
READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], NDArray[Any]]], ...] = (
    (lambda data: data.startswith(b"#?"), _read_radiance),
    (_is_deep, _read_deep),
)
