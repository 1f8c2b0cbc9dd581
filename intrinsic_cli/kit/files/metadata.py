"""What image files hold besides pixels: a colour profile, and EXIF."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from intrinsic_cli.kit.files.code_points import UNSAID, CodePoints, read_code_points
from intrinsic_cli.kit.files.exif import Exif, is_adobe_rgb, read_exif
from intrinsic_cli.kit.files.extras import heif_facts
from intrinsic_cli.kit.files.formats import HEIF, other_beginning
from intrinsic_cli.kit.files.png_chunks import SIGNATURE
from intrinsic_cli.kit.files.quiet import decoding
from intrinsic_cli.kit.files.tiff import BIG_TIFF, TIFF, tiff_profile

#: Formats whose profile and EXIF Pillow hands over.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "JPEG2000", "GIF", "PSD")
#: No profile of a photo is larger.
_LONGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Metadata:
    """``profile``: the bytes of the colour profile, b"" without one. ``block``: those of the EXIF,
    or of a file that is made of the same fields itself (a TIFF, most RAW photos). ``points``: the
    numbers by which colours are said where no profile says them."""

    profile: bytes = b""
    block: bytes | memoryview = b""
    points: CodePoints = UNSAID

    @property
    def exif(self) -> Exif:
        """What is kept of it for pictures made of the photo."""
        return read_exif(self.block)

    @property
    def is_adobe_rgb(self) -> bool:
        """Are its colours those of Adobe RGB though no profile says so?"""
        return not self.profile and not self.points and is_adobe_rgb(self.block)


#: That of arrays, and of files whose numbers mean what the user says.
NOTHING = Metadata()


def read_metadata(data: bytes) -> Metadata:
    """What is embedded in an image file; nothing where it is damaged or knows of none."""
    if data.startswith(TIFF + BIG_TIFF):
        return tiff_metadata(data)
    if other_beginning(data[:64]) is HEIF:
        return _metadata(heif_facts(data), data)
    try:
        with decoding(), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return _metadata(image.info, data)
    except Exception:  # the pixels tell what is wrong with a file; a stranger's words must not
        return Metadata()


def tiff_metadata(data: bytes | memoryview) -> Metadata:
    """The same of a TIFF, of which no more than the parts that matter are looked at."""
    return Metadata(tiff_profile(data)[:_LONGEST], data)


def _metadata(info: dict[Any, Any], data: bytes) -> Metadata:
    """In HEIF and AVIF a profile goes before the numbers, in PNG it is the other way round."""
    profile, block = info.get("icc_profile"), info.get("exif")
    known = profile[:_LONGEST] if isinstance(profile, bytes) else b""
    points = read_code_points(data)
    if points and data.startswith(SIGNATURE):
        known = b""
    return Metadata(
        known,
        block if isinstance(block, bytes) else b"",
        UNSAID if known else points,
    )
