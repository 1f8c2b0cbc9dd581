"""A photo in whatever way somebody gives it from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.formats import ENCODINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.kit.files.photo import Photo as DecodedPhoto

    #: A file, the bytes of one, numbers (floats linear, integers sRGB) or a photo already decoded.
    Photo = str | Path | bytes | NDArray[Any] | DecodedPhoto

#: How many channels a photo may have.
CHANNELS = (1, 3, 4)
#: Pictures of Pillow whose numbers are light or sRGB codes; those of others are inks, or places in
#: a palette.
PILLOW_MODES = ("L", "RGB", "RGBA", "F", "I;16")
#: Whole numbers between these are codes of 8 or 16 bits, not light of which 1 is white.
LEAST_WHITE, MOST_WHITE = 16, 65535
#: Rows and columns of a photo that are looked at for that.
LOOKED_AT = 256


def to_photo(photo: Photo, encoding: str = "auto") -> DecodedPhoto:
    """Any way to give a photo → one in memory, in linear light. UsageError where it could mean
    something else; DataError where a file cannot be read."""
    from intrinsic_cli.kit.files import photo as files

    if encoding not in ENCODINGS:
        raise UsageError(f"there is no encoding {encoding!r}", f"use {', '.join(ENCODINGS)}")
    if isinstance(photo, files.Photo):
        return photo
    if isinstance(photo, bytes):
        return files.read_photo(photo, encoding)
    if isinstance(photo, str | Path):
        return files.read_photo(Path(photo), encoding)
    values = _numbers(photo)
    if encoding == "auto" and _are_codes(values):
        message = (
            f"whole numbers up to {values.max():g}, as floats, are not light of which 1 is white"
        )
        hint = "give uint8 or uint16 (sRGB), or say so: encoding='linear'"
        raise UsageError(message, hint)
    return files.to_photo(values, encoding)


def require_several(photos: Any) -> None:
    """UsageError where one photo was given in place of several: its letters, or its rows, are no
    photos."""
    shape = tuple(getattr(photos, "shape", ()))
    is_picture = len(shape) == 3 and shape[-1] in CHANNELS
    if is_picture or isinstance(photos, str | bytes | Path):
        raise UsageError("one photo was given where several are wanted", "write many([photo])")


def _numbers(photo: Any) -> NDArray[Any]:
    """A copy of them, whose owner may change it later, in the order of bytes of this machine."""
    import numpy as np

    mode = getattr(photo, "mode", "RGB")
    if isinstance(mode, str) and mode not in PILLOW_MODES:
        hint = "give its file, or photo.convert('RGB')"
        raise UsageError(f"a picture of mode {mode} is no photo", hint)
    values = np.asarray(photo).copy()
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    known = values.dtype.kind == "f" or values.dtype in (np.uint8, np.uint16)
    if not known or not _has_shape_of_photo(values):
        message = f"an array {values.shape} of {values.dtype} is no photo"
        raise UsageError(message, _wanted(values))
    return values


def _has_shape_of_photo(values: NDArray[Any]) -> bool:
    channels = values.shape[2] if values.ndim == 3 else 1
    return values.ndim in (2, 3) and channels in CHANNELS and values.size > 0


def _wanted(values: NDArray[Any]) -> str:
    if values.ndim == 3 and values.shape[0] in CHANNELS and values.shape[2] not in CHANNELS:
        return "channels come last: give photo.transpose(1, 2, 0)"
    return "give [H,W] or [H,W,3] of float (linear), uint8 or uint16 (sRGB)"


def _are_codes(values: NDArray[Any]) -> bool:
    """Are floats the codes of 8 or 16 bits? Light is not made of whole numbers."""
    import numpy as np

    if values.dtype.kind != "f":
        return False
    rows, columns = (max(1, side // LOOKED_AT) for side in (len(values), len(values[0])))
    seen = values[::rows, ::columns]
    seen = seen[np.isfinite(seen)]
    if not seen.size or seen.min() < 0 or not LEAST_WHITE <= seen.max() <= MOST_WHITE:
        return False
    return bool((seen == np.rint(seen)).all())
