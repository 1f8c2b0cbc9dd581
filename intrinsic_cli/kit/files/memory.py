"""How large a file, and how large a picture, this machine can take. Light."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from intrinsic_cli.api import DataError

#: Memory that decomposing takes, bytes a pixel: the photo, its layers, what is made of them on the
#: way, and the next photo. Of 24 megapixels and two layers 45 were measured for PNG, 71 for TIFF.
BYTES_PER_PIXEL = 96
#: The same of a photo that is done in strips, of which only the codes are ever whole in memory:
#: some 9 bytes for 8 bits and 19 for 16; 100 megapixels of 8 bits took 1.0 GiB in all.
BYTES_IN_STRIPS = 24
#: More pixels are never read: OpenCV's own limit.
MOST_PIXELS = 1 << 30
#: Where Linux says how much a container may use (second and first version of control groups).
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNKNOWN = 8 << 30  # bytes a machine is taken to have that does not say


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
    token = _EACH.set(BYTES_IN_STRIPS)
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
    what = "than fit into memory" if asked is None else "than are allowed"
    pieces = f"cut it into pieces of at most {most / 1e6:.4g} million pixels, or make it smaller"
    hint = f"{pieces}; --max-pixels sets the limit" if most < MOST_PIXELS else pieces
    raise DataError(f"the image says it has {width}x{height} pixels, more {what}", hint)


def pixel_limit() -> int:
    """The most pixels a photo may have here."""
    return min(MOST_PIXELS, memory() // _EACH.get())


@cache
def memory() -> int:
    """Bytes of memory that this machine has or this container may use."""
    sizes = [_physical()]
    for place in _CONTAINER:
        try:
            sizes.append(int(Path(place).read_text(encoding="ascii")))
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return min(sizes)


def _physical() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return _UNKNOWN
