"""Large photos of 8 bits: decoded once, kept as the codes that their files hold, and turned into
light for some rows at a time."""

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

from intrinsic_cli.kit.files.memory import check_pixels
from intrinsic_cli.kit.files.metadata import NOTHING, Metadata, read_metadata
from intrinsic_cli.kit.files.photo import Photo, to_photo
from intrinsic_cli.kit.files.quiet import decoding
from intrinsic_cli.kit.light.resize import bands

#: Formats that Pillow reads to the last bit, and modes of which each pixel tells its own colour.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
MODES = ("L", "RGB", "RGBA")
#: What broken files make Pillow raise.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error)
_DEEP_PNG = b"\x10"  # 16 bits, of which Pillow would drop half


class PhotoRows:
    """A photo of which no more than some rows are ever in memory as floats. ``size`` is (h, w);
    ``facts`` is a photo with all its facts and none of its pixels."""

    def __init__(self, image: Image.Image, encoding: str, metadata: Metadata) -> None:
        self._image = image
        self._encoding = encoding
        self._metadata = metadata
        self.size = image.height, image.width
        self.facts = self._told()

    @property
    def has_alpha(self) -> bool:
        """Is something in it said to be no part of it?"""
        return self._image.mode == "RGBA"

    def rows(self, rows: slice) -> Photo:
        """Some rows as a photo of their own."""
        return to_photo(self._codes(rows), self._encoding, self._metadata)

    def _codes(self, rows: slice) -> NDArray[Any]:
        box = (0, rows.start, self._image.width, rows.stop)
        return np.asarray(self._image.crop(box))

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


def open_rows(data: bytes, encoding: str) -> PhotoRows | None:
    """The photo in an image file, None where it is of a kind that must be read whole. DataError
    where it is too large for this machine."""
    try:
        with decoding():
            return _open_rows(data, encoding)
    except BROKEN:
        return None


def _open_rows(data: bytes, encoding: str) -> PhotoRows | None:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    deep = image.format == "PNG" and data[24:25] == _DEEP_PNG
    plain = image.mode in MODES and (image.mode == "RGBA" or not image.has_transparency_data)
    if deep or not plain:
        return None
    check_pixels(*image.size)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    metadata = read_metadata(data) if encoding == "auto" else NOTHING
    return PhotoRows(image, encoding, metadata)
