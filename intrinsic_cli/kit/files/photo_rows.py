"""Large photos: decoded once, kept as the codes that their files hold, and turned into light for
some rows at a time."""

from __future__ import annotations

import io
import stat
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.decode import AGAIN, DAMAGED, decode
from intrinsic_cli.kit.files.formats import other_content
from intrinsic_cli.kit.files.memory import check_pixels, in_strips
from intrinsic_cli.kit.files.metadata import NOTHING, Metadata, read_metadata
from intrinsic_cli.kit.files.photo import Photo, clipped_share, light_of, split_alpha
from intrinsic_cli.kit.files.planes import planes_of
from intrinsic_cli.kit.files.png_chunks import SIGNATURE
from intrinsic_cli.kit.files.quiet import decoding
from intrinsic_cli.kit.files.tables import looked_up
from intrinsic_cli.kit.files.transfer import Transfer, transfer_of
from intrinsic_cli.kit.light.colour import decoding_table
from intrinsic_cli.kit.light.noise import noise_near_black
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: Formats that are read in rows, those of them that Pillow reads to the last bit (of PNG, what has
#: 8 bits), and its modes in which each pixel tells its own colour.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_FLAT = ("JPEG", "PNG", "WEBP", "BMP")
_MODES = ("L", "RGB", "RGBA")
#: What broken files make Pillow raise.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error)
_DEEP_PNG = b"\x10"  # 16 bits, of which Pillow would drop half
_SAMPLE_FORMAT, _WHOLE = 339, 1  # of TIFFs: what their numbers are
_WHITE = 1.001  # but for rounding

Codes = NDArray[Any]


class PhotoRows:
    """A photo of which no more than some rows are ever in memory as floats. ``codes`` are those of
    its file, [H,W] or [H,W,C]; ``size`` is (h, w); ``has_alpha``: something in it is said to be no
    part of it; ``header`` is a photo with all its facts and none of its pixels; ``exposure``: it
    holds no light beyond white; ``noise`` is the error of its dark pixels."""

    exposure = 1.0

    def __init__(self, codes: Codes, encoding: str, metadata: Metadata) -> None:
        self.codes = codes
        self._encoding = encoding
        self._metadata = metadata
        self.size = codes.shape[0], codes.shape[1]
        self.has_alpha = self.alpha(slice(0, 1)) is not None
        self.header = self._told()
        self.noise = noise_near_black(
            lambda some: self.rows(some).pixels, self.size, self.header.bits, self.header.encoding
        )

    def rows(self, rows: slice) -> Photo:
        """Some rows, perhaps not all between the first and the last, as a photo of their own."""
        colours, alpha = self._parts(rows)
        photo = light_of(colours, self._encoding, self._metadata)
        return replace(photo, alpha=alpha, bits=self.codes.dtype.itemsize * 8)

    def planes(self, rows: slice) -> NDArray[np.float32]:
        """The colours of some rows, channel by channel, [3,h,W]: codes are taken apart before a
        table tells their light."""
        colours, _ = self._parts(rows)
        curve = self.header.encoding
        gray = colours.shape[2] == 1
        if gray or curve == "icc":
            light = self.rows(rows)
            return planes_of(light.pixels)
        table = decoding_table(colours.dtype.name, curve)
        codes = planes_of(colours)
        return looked_up(codes, table)

    def transfer(self) -> Transfer | None:
        """What its codes mean, None where only :meth:`planes` knows."""
        return transfer_of(self.codes.dtype, self.header.encoding, self._metadata)

    @property
    def is_hdr(self) -> bool:
        """Are there codes for more than white? Its exposure must then be found in all of it."""
        if self.header.encoding != "icc":
            return False
        transfer = self.transfer()
        return transfer is not None and float(transfer.tables.max()) > _WHITE

    def alpha(self, rows: slice) -> Image | None:
        """The alpha of some rows alone."""
        return self._parts(rows)[1]

    def _parts(self, rows: slice) -> tuple[Codes, Image | None]:
        """Colours as codes, [h,W,1 or 3], and alpha."""
        codes = self.codes[rows]
        return split_alpha(codes if codes.ndim == 3 else codes[..., None])

    def _told(self) -> Photo:
        """What is told of all rows together."""
        clipped = visible = outside = 0.0
        first = self.rows(slice(0, 1))
        for rows in bands(*self.size):
            colours, alpha = self._parts(rows)
            count = float(colours[..., 0].size)
            seen = count if alpha is None else float((alpha > 0).sum())
            clipped += clipped_share(colours, alpha) * seen
            visible += seen
            if first.encoding == "icc":  # nothing else leaves colours outside
                outside += self.rows(rows).outside * count
        height, width = self.size
        return replace(
            first,
            pixels=np.broadcast_to(np.float32(0), (height, width, 3)),
            alpha=None,
            clipped=clipped / max(visible, 1.0),
            outside=outside / (height * width),
        )


def is_large(path: Path, least: int, side: int = 0) -> bool:
    """Does a file hold a photo of at least ``least`` pixels, whose shorter side has at least
    ``side``? Looks at its beginning only."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with Pillow.open(path, formats=FORMATS) as image:
            width, height = image.size
            return width * height >= least and min(width, height) >= side
    except BROKEN:  # whoever reads it whole says what is wrong with it
        return False


def open_rows(data: bytes, encoding: str, suffix: str = "") -> PhotoRows | None:
    """The photo in an image file (whose name ends in ``suffix``), None where it is of a kind that
    must be read whole. DataError where it is broken or too large for this machine."""
    try:
        with decoding(), in_strips():
            codes = _read_codes(data, suffix)
    except BROKEN:
        return None
    if codes is None:
        return None
    metadata = read_metadata(data) if encoding == "auto" else NOTHING
    photo = PhotoRows(codes, encoding, metadata)
    return None if photo.is_hdr else photo


def _read_codes(data: bytes, suffix: str) -> Codes | None:
    if other_content(data, suffix.lower()) is not None:  # RAW photos may begin as TIFFs do
        return None
    image: Pillow.Image = Pillow.open(io.BytesIO(data), formats=FORMATS)
    check_pixels(*image.size)
    if _is_deep(image, data):
        codes = decode(data, suffix=suffix)
        return codes if codes.dtype.kind == "u" else None
    clear = image.mode == "RGBA" or not image.has_transparency_data
    if image.format not in _FLAT or image.mode not in _MODES or not clear:
        return None
    _load(image)
    ImageOps.exif_transpose(image, in_place=True)
    return _array(image)


def _load(image: Pillow.Image) -> None:
    """DataError where the file is broken: read whole it would be called too large before that is
    seen."""
    try:
        image.load()
    except MemoryError:
        raise
    except BROKEN as error:
        raise DataError(DAMAGED, AGAIN) from error


def _array(image: Pillow.Image) -> Codes:
    """Its codes, band by band: all at once would take memory for them three times."""
    channels = len(image.getbands())
    codes = np.empty((image.height, image.width, channels), np.uint8)
    for rows in bands(image.height, image.width):
        band = image.crop((0, rows.start, image.width, rows.stop))
        codes[rows] = np.asarray(band).reshape(-1, image.width, channels)
    return codes


def _is_deep(image: Pillow.Image, data: bytes) -> bool:
    """May it hold whole numbers of 16 bits?"""
    if isinstance(image, TiffImageFile):
        formats = image.tag_v2.get(_SAMPLE_FORMAT, (_WHOLE,))
        return set(formats) == {_WHOLE}
    return data.startswith(SIGNATURE) and data[24:25] == _DEEP_PNG
