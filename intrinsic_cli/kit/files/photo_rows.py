"""Large photos: decoded once, kept as the codes that their files hold, and turned into light for
some rows at a time."""

from __future__ import annotations

import io
import stat
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from intrinsic_cli.kit.files.decode import PNG, decode
from intrinsic_cli.kit.files.formats import other_content
from intrinsic_cli.kit.files.memory import check_pixels, in_strips
from intrinsic_cli.kit.files.metadata import NOTHING, Metadata, read_metadata
from intrinsic_cli.kit.files.photo import Photo, to_photo
from intrinsic_cli.kit.files.quiet import decoding
from intrinsic_cli.kit.light.resize import bands

#: Formats that are read in rows, those of them that Pillow reads to the last bit (of PNG, what has
#: 8 bits), and its modes in which each pixel tells its own colour.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_FLAT = ("JPEG", "PNG", "WEBP", "BMP")
_MODES = ("L", "RGB", "RGBA")
#: What broken files make Pillow raise.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error)
_DEEP_PNG = b"\x10"  # 16 bits, of which Pillow would drop half
_SAMPLE_FORMAT, _WHOLE = 339, 1  # of TIFFs: what their numbers are

Codes = NDArray[Any]


class PhotoRows:
    """A photo of which no more than some rows are ever in memory as floats. ``size`` is (h, w);
    ``has_alpha``: something in it is said to be no part of it; ``header`` is a photo with all its
    facts and none of its pixels."""

    def __init__(self, codes: Codes | Image.Image, encoding: str, metadata: Metadata) -> None:
        self._codes = codes
        self._encoding = encoding
        self._metadata = metadata
        if isinstance(codes, Image.Image):
            self.size = codes.height, codes.width
        else:
            self.size = codes.shape[0], codes.shape[1]
        self.has_alpha = self.rows(slice(0, 1)).alpha is not None
        self.header = self._told()

    def rows(self, rows: slice) -> Photo:
        """Some rows as a photo of their own."""
        codes = self._codes
        if isinstance(codes, Image.Image):
            part = np.asarray(codes.crop((0, rows.start, codes.width, rows.stop)))
        else:
            part = codes[rows]
        return to_photo(part, self._encoding, self._metadata)

    def _told(self) -> Photo:
        """What is told of all rows together."""
        clipped = visible = outside = 0.0
        first = self.rows(slice(0, 1))
        for rows in bands(*self.size):
            part = self.rows(rows)
            count = float(part.pixels[..., 0].size)
            seen = count if part.alpha is None else float((part.alpha > 0).sum())
            clipped += part.clipped * seen
            outside += part.outside * count
            visible += seen
        height, width = self.size
        return replace(
            first,
            pixels=np.broadcast_to(np.float32(0), (height, width, 3)),
            alpha=None,
            clipped=clipped / max(visible, 1.0),
            outside=outside / (height * width),
        )


def is_large(path: Path, least: int) -> bool:
    """Does a file hold a photo of at least ``least`` pixels? Looks at its beginning only."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with Image.open(path, formats=FORMATS) as image:
            return image.width * image.height >= least
    except BROKEN:  # whoever reads it whole says what is wrong with it
        return False


def open_rows(data: bytes, encoding: str, suffix: str = "") -> PhotoRows | None:
    """The photo in an image file (whose name ends in ``suffix``), None where it is of a kind that
    must be read whole. DataError where it is too large for this machine."""
    try:
        with decoding(), in_strips():
            codes = _read_codes(data, suffix)
    except BROKEN:
        return None
    if codes is None:
        return None
    metadata = read_metadata(data) if encoding == "auto" else NOTHING
    return PhotoRows(codes, encoding, metadata)


def _read_codes(data: bytes, suffix: str) -> Codes | Image.Image | None:
    if other_content(data, suffix.lower()) is not None:  # RAW photos may begin as TIFFs do
        return None
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    check_pixels(*image.size)
    if _is_deep(image, data):
        codes = decode(data, suffix=suffix)
        return codes if codes.dtype.kind == "u" else None
    clear = image.mode == "RGBA" or not image.has_transparency_data
    if image.format not in _FLAT or image.mode not in _MODES or not clear:
        return None
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """May it hold whole numbers of 16 bits?"""
    if isinstance(image, TiffImageFile):
        formats = image.tag_v2.get(_SAMPLE_FORMAT, (_WHOLE,))
        return set(formats) == {_WHOLE}
    return data.startswith(PNG) and data[24:25] == _DEEP_PNG
