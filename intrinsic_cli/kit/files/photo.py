"""Image files → photos in linear light."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.files.code_points import CodePoints
from intrinsic_cli.kit.files.code_profile import note_on, profile_of
from intrinsic_cli.kit.files.decode import decode, named
from intrinsic_cli.kit.files.formats import ENCODINGS, RAW, other_content
from intrinsic_cli.kit.files.icc import CMYK
from intrinsic_cli.kit.files.metadata import NOTHING, Metadata, read_metadata
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.profiled import USELESS, from_profile
from intrinsic_cli.kit.files.read_bytes import read_bytes
from intrinsic_cli.kit.files.tables import looked_up
from intrinsic_cli.kit.files.transfer import followed_profile
from intrinsic_cli.kit.light.colour import decode_codes, decoding_table, srgb_to_linear
from intrinsic_cli.kit.light.resize import bands

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

#: The share of pixels to be repaired from which on it is told.
MUCH = 0.01
REPAIRED = "negative, infinite or not a number, and were repaired"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo in linear light: ``pixels`` [H,W,3] float32 ≥ 0, ``alpha`` [H,W] in 0..1 or None.

    ``encoding`` is how the file's numbers were understood (``srgb``, ``linear``, or ``icc``: by
    the colour profile whose name is ``profile``), ``bits`` how many each channel had, ``clipped``
    the fraction of visible pixels with a channel at its limit, ``repaired`` the fraction that was
    negative or not finite (float files only), ``outside`` the fraction whose colours lie outside
    sRGB and were clipped to it. ``notes`` are sentences about the file to be read."""

    pixels: Image
    alpha: Image | None = None
    encoding: str = "srgb"
    bits: int = 8
    clipped: float = 0.0
    repaired: float = 0.0
    outside: float = 0.0
    profile: str = ""
    notes: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """The ``notes``, and a sentence where much of the photo had to be repaired."""
        if self.repaired < MUCH:
            return self.notes
        return (*self.notes, f"{self.repaired:.0%} of its pixels were {REPAIRED}")


def read_photo(
    source: Path | bytes, encoding: str = "auto", layer: str = "", suffix: str = ""
) -> Photo:
    """Decode one image file, or its bytes (and the ``suffix`` of its name).

    ``encoding`` ``auto``: by the embedded colour profile; without one float formats are linear, all
    others sRGB. ``layer`` chooses one of an EXR that has several. DataError where it is broken, no
    picture, or too large for this machine.
    """
    if encoding not in ENCODINGS:
        raise UsageError(f"there is no input encoding {encoding!r}", f"use {', '.join(ENCODINGS)}")
    if isinstance(source, Path):
        with named(source):
            return read_photo(read_bytes(source), encoding, layer, source.suffix)
    codes = decode(source, layer, suffix)
    developed = other_content(source, suffix.lower()) is RAW  # into sRGB, whatever the camera says
    metadata = NOTHING if developed or encoding != "auto" else read_metadata(source)
    return to_photo(codes, encoding, metadata)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture to look at, [H,W,3] uint8, atomically."""
    with replacing(path) as temporary:
        Pillow.fromarray(pixels).save(temporary, "PNG", compress_level=4)


def to_photo(codes: NDArray[Any], encoding: str, metadata: Metadata = NOTHING) -> Photo:
    """The photo that decoded ``codes`` are; with the encoding ``auto``, what ``metadata`` tells of
    colours is followed."""
    planes = codes if codes.ndim == 3 else codes[..., None]
    colours, alpha = split_alpha(planes)
    clipped, repaired = 0.0, 0.0
    if codes.dtype.kind == "f":
        colours, repaired = repair_light(colours, "linear")
    else:
        clipped = clipped_share(colours, alpha)
    photo = light_of(colours, encoding, metadata)
    bits = codes.dtype.itemsize * 8
    return replace(photo, alpha=alpha, bits=bits, clipped=clipped, repaired=repaired)


def light_of(colours: NDArray[Any], encoding: str, metadata: Metadata) -> Photo:
    """As :func:`to_photo`, of colours [H,W,1 or 3] that are alone and in order: nothing is counted
    in them."""
    if encoding == "auto":
        return _by_metadata(colours, metadata)
    return Photo(_linear(colours, encoding), encoding=encoding)


def _by_metadata(colours: NDArray[Any], metadata: Metadata) -> Photo:
    """By the profile; without one, floats are linear and integers sRGB."""
    usual = "linear" if colours.dtype.kind == "f" else "srgb"
    if metadata.points:
        return _by_code_points(colours, metadata.points)
    profile = followed_profile(metadata)
    if profile is not None and profile.is_srgb:
        return Photo(_linear(colours, "srgb"), encoding="srgb", profile=profile.name)
    if profile is not None and profile.space == CMYK:  # decoding has followed it already
        return Photo(_linear(colours, usual), encoding=usual, profile=profile.name)
    converted = from_profile(colours, profile, metadata.profile) if profile else None
    if profile is None or converted is None:
        notes = (USELESS,) if metadata.profile else ()
        return Photo(_linear(colours, usual), encoding=usual, notes=notes)
    return Photo(
        converted.pixels,
        encoding="icc",
        outside=converted.outside,
        profile=profile.name,
        notes=(converted.note,) if converted.note else (),
    )


def _by_code_points(colours: NDArray[Any], points: CodePoints) -> Photo:
    """By the numbers of primaries and transfer curve."""
    note = note_on(points, colours.dtype.itemsize * 8)
    profile = profile_of(points)
    notes = (note,) if note else ()
    converted = None
    if profile is not None and not profile.is_srgb:
        converted = from_profile(colours, profile, b"")
    if profile is None or converted is None:
        return Photo(_linear(colours, "srgb"), encoding="srgb", notes=notes)
    return Photo(
        converted.pixels,
        encoding="icc",
        outside=converted.outside,
        profile=profile.name,
        notes=notes,
    )


def _linear(colours: NDArray[Any], encoding: str) -> Image:
    """[H,W,1 or 3] as a file holds them → [H,W,3] linear."""
    if colours.dtype == np.uint8:
        pixels = looked_up(colours, decoding_table("uint8", encoding))
    elif colours.dtype.kind != "f":
        pixels = decode_codes(colours, encoding)
    else:
        pixels = srgb_to_linear(colours) if encoding == "srgb" else colours
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def split_alpha(codes: NDArray[Any]) -> tuple[NDArray[Any], Image | None]:
    """[H,W,C] → its colours, and the last of two or four channels as alpha 0..1."""
    if codes.shape[2] not in (2, 4):
        return codes, None
    colours = codes[..., :-1]
    alpha = _float32(codes[..., -1])
    if codes.dtype.kind != "f":
        top = np.iinfo(codes.dtype).max
        alpha = alpha / np.float32(top)
    alpha = np.nan_to_num(alpha)
    return colours, np.clip(alpha, 0.0, 1.0)


def _float32(values: NDArray[Any]) -> Image:
    """A copy; what is too large becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(values, np.float32)


def repair_light(values: NDArray[Any], encoding: str) -> tuple[Image, float]:
    """Float light ≥ 0 and finite [H,W,C]: NaN and negatives become 0, infinity the brightest finite
    value; and the share of such pixels. Where there are none, the same memory."""
    pixels = _as_float32(values)
    height, width = pixels.shape[:2]
    broken = [rows for rows in bands(height, width) if not _is_light(pixels[rows])]
    count = 0
    if broken:
        pixels = pixels.copy()
        brightest = max(brightest_finite(pixels[rows]) for rows in bands(height, width))
        for rows in broken:
            count += _repair(pixels[rows], brightest)
    if encoding == "srgb":
        pixels = srgb_to_linear(pixels)
    return pixels, count / max(1, height * width)


def repair_rows(values: NDArray[Any], brightest: float) -> tuple[Image, int]:
    """As :func:`repair_light`, of some rows of a photo whose ``brightest`` finite value is known;
    and how many pixels that were."""
    pixels = _as_float32(values)
    if _is_light(pixels):
        return pixels, 0
    repaired = pixels.copy()
    return repaired, _repair(repaired, brightest)


def brightest_finite(part: Image) -> float:
    """The largest finite value, at least 0."""
    top = float(part.max(initial=0.0))
    if np.isfinite(top):
        return top
    finite = part[np.isfinite(part)]
    return float(finite.max(initial=0.0))


def _as_float32(values: NDArray[Any]) -> Image:
    """In one piece; what is too large becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(values, np.float32)


def _is_light(part: Image) -> bool:
    """Is all of it finite and not negative?"""
    return bool(part.min(initial=0.0) >= 0 and part.max(initial=0.0) < np.inf)


def _repair(part: Image, brightest: float) -> int:
    """Make light of what is none, in place; how many pixels that were."""
    bad = ~np.isfinite(part) | (part < 0)
    repaired = np.nan_to_num(part, nan=0.0, posinf=brightest, neginf=0.0)
    np.clip(repaired, 0.0, brightest, out=part)
    return int(bad.any(axis=2).sum())


def clipped_share(codes: NDArray[Any], alpha: Image | None) -> float:
    """The share of the visible pixels of [H,W,1 or 3] with a channel at its limit."""
    channels = codes.shape[2]
    below = np.iinfo(codes.dtype).max - 1
    whole = np.ascontiguousarray(codes)
    inside = cv2.inRange(whole, (0,) * channels, (int(below),) * channels)
    if alpha is not None:
        inside = inside[alpha > 0]
    if not inside.size:
        return 0.0
    below_limit = int(cv2.countNonZero(inside))
    return float(1.0 - below_limit / inside.size)
