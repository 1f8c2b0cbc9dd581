"""Codes of a picture with a colour profile → linear light in the primaries of sRGB.

Profiles with curves and a matrix (Adobe RGB, Display P3, ProPhoto, …) are followed here, at the
full depth of the codes. Profiles with tables are followed by the colour engine of Pillow, which
knows 8 bits only and stays inside sRGB.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

from intrinsic_cli.kit.files.icc import CMYK, GRAY, RGB, Profile, read_profile
from intrinsic_cli.kit.light.colour import decode_codes
from intrinsic_cli.kit.light.curves import code_table
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: What is told of a photo whose profile is damaged, or of a space that photos are not stored in.
USELESS = "its colour profile cannot be followed and was passed over"

_HOW = ImageCms.Flags.BLACKPOINTCOMPENSATION
#: Negative light smaller than this is rounding.
_NOISE = 1e-3


@dataclass(frozen=True, slots=True)
class ConvertedPixels:
    """``pixels`` [H,W,3] linear sRGB ≥ 0; the share of them that was ``outside`` of sRGB, with a
    negative colour that became 0; and what there is to tell of it, "" if nothing."""

    pixels: Image
    outside: float = 0.0
    note: str = ""


def from_profile(colours: NDArray[Any], profile: Profile, data: bytes) -> ConvertedPixels | None:
    """What ``colours`` [H,W,1 or 3] of uint8, uint16 or float mean by a profile, of which ``data``
    are the bytes. Brighter than 1 stays so; None where the profile is of no use for them."""
    if profile.space not in (RGB, GRAY):
        return None
    if profile.curves:
        pixels = _by_curves(colours, profile)
        outside = _clip(pixels)
        return ConvertedPixels(pixels, outside)
    return _by_tables(colours, profile, data)


def _by_curves(colours: NDArray[Any], profile: Profile) -> Image:
    """[H,W,3] linear sRGB, negative where a colour lies beyond."""
    pixels = np.empty((*colours.shape[:2], 3), np.float32)
    decode = _decoders(colours, profile)
    last = colours.shape[2] - 1
    for rows in bands(*colours.shape[:2]):
        for channel in range(3):
            codes = colours[rows, :, min(channel, last)]
            pixels[rows, :, channel] = decode[channel](codes)
        if profile.matrix is not None:
            matrix = profile.matrix.T.astype(np.float32)
            pixels[rows] = pixels[rows] @ matrix
    return pixels


def _decoders(colours: NDArray[Any], profile: Profile) -> list[Any]:
    """For red, green and blue: codes → linear; integers by a table."""
    curves = profile.curves * 3 if len(profile.curves) == 1 else profile.curves
    if colours.dtype.kind == "f":
        return list(curves)
    return [code_table(curve, colours.dtype).__getitem__ for curve in curves]


def _clip(pixels: Image) -> float:
    """Negative light becomes none, in place; the share of the pixels with more than rounding of
    it."""
    outside = 0
    for rows in bands(*pixels.shape[:2]):
        lowest = pixels[rows].min(axis=2)
        outside += int(np.count_nonzero(lowest < -_NOISE))
        np.maximum(pixels[rows], 0.0, out=pixels[rows])
    return float(outside / max(1, pixels.shape[0] * pixels.shape[1]))


def _by_tables(colours: NDArray[Any], profile: Profile, data: bytes) -> ConvertedPixels | None:
    """The same by the colour engine, in 8 bits."""
    gray = profile.space == GRAY
    codes = _eight_bits(colours)
    if gray or codes.shape[2] == 1:
        codes = codes[..., :1] if gray else codes.repeat(3, axis=2)
    image = Pillow.fromarray(codes[..., 0] if codes.shape[2] == 1 else codes)
    converted = to_srgb(image, data)
    if converted is None:
        return None
    note = ""
    if colours.dtype != np.uint8:
        name = f" {profile.name!r}" if profile.name else ""
        note = f"its colour profile{name} is made of tables and was followed with 8 bits only"
    return ConvertedPixels(decode_codes(np.asarray(converted), "srgb"), note=note)


def _eight_bits(colours: NDArray[Any]) -> NDArray[np.uint8]:
    if colours.dtype == np.uint8:
        return np.ascontiguousarray(colours)
    top = 1.0 if colours.dtype.kind == "f" else 65535.0
    unit = colours.astype(np.float32) / np.float32(top)
    codes = np.clip(unit, 0, 1) * 255 + 0.5
    return np.asarray(codes, np.uint8)


def to_srgb(image: Pillow.Image, data: bytes) -> Pillow.Image | None:
    """``image`` (L, RGB or CMYK) as RGB codes of sRGB by the profile in ``data``, relative
    colorimetric with black brought to black; None where the profile is damaged or of another
    space."""
    try:
        conversion = _conversion(data, image.mode)
        return conversion.apply(image)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=4)
def _conversion(data: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.ImageCmsTransform(source, target, mode, "RGB", intent, flags=_HOW)


def understood(data: bytes) -> Profile | None:
    """The profile in ``data``; None where there is none or it is damaged."""
    try:
        return read_profile(data)
    except ValueError:
        return None


def from_cmyk(image: Pillow.Image, data: bytes) -> Pillow.Image:
    """A picture of four inks as RGB codes of sRGB, by its profile where it has one of use."""
    profile = understood(data) if data else None
    converted = None
    if profile is not None and profile.space == CMYK:
        converted = to_srgb(image, data)
    return image.convert("RGB") if converted is None else converted
