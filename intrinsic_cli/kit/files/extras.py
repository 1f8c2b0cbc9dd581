"""Photos that only an extra can read: RAW and HEIC."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.formats import HEIF, RAW, VIDEO, OtherFormat
from intrinsic_cli.kit.files.memory import check_pixels

#: What damaged files make the libraries raise, seen or to be expected.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, MemoryError, RuntimeError),
)


def read_extra(data: bytes, form: OtherFormat) -> NDArray[Any]:
    """The numbers of a RAW or HEIC photo, upright: uint8, uint16, or floats of linear light in the
    primaries of sRGB. DataError where the extra is missing, the photo is damaged or no photo."""
    if form is RAW:
        return _read_raw(data)
    if form is HEIF:
        return _read_heif(data)
    if form is VIDEO:
        _module(VIDEO)
        hint = "give iid decompose its file, or here one picture of it"
        raise DataError("it is a video, whose frames are not taken apart here", hint)
    raise DataError(f"it is {form.name}, which iid cannot read", form.hint)


def heif_facts(data: bytes) -> dict[str, Any]:
    """``exif`` and ``icc_profile`` of a HEIC photo, as far as it has them."""
    try:
        with _opened_heif(data) as image:
            return dict(image.info)
    except DataError:
        return {}


def _module(form: OtherFormat) -> Any:
    """The library that reads it. DataError where it is not there."""
    try:
        return importlib.import_module(form.module)
    except ImportError as error:
        sentence = f"it is {form.name}, which needs the extra {form.extra!r}"
        raise DataError(sentence, form.hint) from error


def _read_raw(data: bytes) -> NDArray[np.float32]:
    """[H,W,3]: developed without any curve, with the camera's white balance."""
    rawpy = _module(RAW)
    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            check_pixels(raw.sizes.width, raw.sizes.height)
            codes = raw.postprocess(
                output_color=rawpy.ColorSpace.sRGB,
                output_bps=16,
                gamma=(1, 1),
                no_auto_bright=True,
                use_camera_wb=True,
            )
    except (rawpy.LibRawError, *_BROKEN) as error:
        sentence = "it is a RAW photo that is damaged, or of a camera that LibRaw does not know"
        raise DataError(sentence, "save it as TIFF or JPEG with a raw converter") from error
    return np.asarray(codes, np.float32) / np.float32(65535)


def _read_heif(data: bytes) -> NDArray[Any]:
    """[H,W] or [H,W,3 or 4] in 8 bits, or those of 10 and 12 bits in 16."""
    with _opened_heif(data) as image:
        check_pixels(*image.size)
        codes = np.asarray(image)
        bits = int(image.info.get("bit_depth", 16))
    return _stretched(codes, bits) if codes.dtype == np.uint16 and 8 < bits < 16 else codes


def _stretched(codes: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Codes whose lowest bits are empty, so that white becomes white."""
    empty = 16 - bits
    top = (1 << bits) - 1
    stretched = (codes >> empty).astype(np.uint32) * 65535 // top
    return stretched.astype(np.uint16)


@contextmanager
def _opened_heif(data: bytes) -> Iterator[Any]:
    """The photo, not yet decoded. All that goes wrong in the block becomes a DataError."""
    library = _module(HEIF)
    try:
        yield library.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    except _BROKEN as error:
        raise DataError("the image is truncated or damaged", "copy or download it again") from error
