"""How large a file, and how large a picture, this machine can take, and how much it may keep.
Light."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.available_memory import available_memory

#: Memory that decomposing takes, bytes a pixel: the photo, its layers, what is made of them on the
#: way, and the next photo. Of 24 megapixels and two layers 45 were measured for PNG, 71 for TIFF.
BYTES_PER_PIXEL = 96
#: The same of a photo that is done in strips, of which only the codes are ever whole in memory:
#: some 9 bytes for 8 bits and 19 for 16; 100 megapixels of 8 bits took 1.0 GiB in all. Of floats
#: that are read from their file, no more than ``pieces`` keeps, and two layers on their way: 24
#: bytes up to 28 megapixels, and less above.
BYTES_IN_STRIPS = 24
#: The same of a photo that is read whole and then done in strips. From 12 to 50 megapixels 60 bytes
#: a pixel were measured for EXR of floats with alpha, 44 for TIFF of such, 23 for CMYK JPEG.
BYTES_BEFORE_STRIPS = 72
#: More pixels are never read: OpenCV's own limit.
MOST_PIXELS = 1 << 30

#: The part of the memory that decoded data may fill while networks learn from it.
PART_KEPT = 4

#: Among how many processes of this machine that part is divided, under this one name.
_SHARED = {"processes": 1}
_ASKED: ContextVar[int | None] = ContextVar("pixels asked for", default=None)
_EACH: ContextVar[int] = ContextVar("bytes of a pixel", default=BYTES_PER_PIXEL)


@contextmanager
def at_most(pixels: int | None) -> Iterator[None]:
    """In the block, this thread reads photos of at most so many pixels (None: as many as fit)."""
    token = _ASKED.set(pixels)
    try:
        yield
    finally:
        _ASKED.reset(token)


@contextmanager
def in_strips() -> Iterator[None]:
    """In the block, this thread reads photos that are never whole in memory but as codes."""
    with _taking(BYTES_IN_STRIPS):
        yield


@contextmanager
def before_strips() -> Iterator[None]:
    """In the block, this thread reads photos whole that are done in strips."""
    with _taking(BYTES_BEFORE_STRIPS):
        yield


@contextmanager
def _taking(each: int) -> Iterator[None]:
    """So many bytes a pixel."""
    token = _EACH.set(each)
    try:
        yield
    finally:
        _EACH.reset(token)


def check_pixels(width: int, height: int) -> None:
    """DataError for a picture larger than :func:`at_most` says, else than :func:`pixel_limit`, or
    without pixels; asked before anything is decoded."""
    if width < 1 or height < 1:
        raise DataError("the image is truncated or damaged", "it claims to have no pixels")
    asked = _ASKED.get()
    most = pixel_limit() if asked is None else min(asked, MOST_PIXELS)
    if width * height <= most:
        return
    what = f"than fit into memory ({_gib(memory())} free)" if asked is None else "than are allowed"
    pieces = f"cut it into pieces of at most {_millions(most)} pixels, or make it smaller"
    hint = f"{pieces}; --max-pixels sets the limit" if most < MOST_PIXELS else pieces
    raise DataError(f"the image says it has {width}x{height} pixels, more {what}", hint)


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:.4g} million" if pixels >= 10_000 else str(pixels)


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"


def pixel_limit() -> int:
    """The most pixels a photo may have here."""
    return min(MOST_PIXELS, memory() // _EACH.get())


def share_memory(processes: int) -> None:
    """From now on so many processes of this machine keep data in memory: this one, or those that it
    forks, and others like it."""
    _SHARED["processes"] = max(1, processes)


def room_to_keep() -> int:
    """Bytes of decoded data that this process may keep; see :func:`share_memory`."""
    return memory() // PART_KEPT // _SHARED["processes"]


@cache
def memory() -> int:
    """Bytes of memory that were to be had when this was first asked: photos that are being done
    are none of the reason to refuse the next one."""
    return available_memory()
