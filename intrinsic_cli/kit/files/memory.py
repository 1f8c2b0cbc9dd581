"""How large a file, and how large a picture, this machine can take. Light."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from intrinsic_cli.api import DataError

#: Memory that decomposing takes, bytes a pixel: the photo, its layers, what is made of them on the
#: way, and the next photo. Of 24 megapixels and two layers 45 were measured for PNG, 71 for TIFF.
BYTES_PER_PIXEL = 96
#: More pixels are never read: OpenCV's own limit.
MOST_PIXELS = 1 << 30
#: Where Linux says how much a container may use (second and first version of control groups).
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_UNKNOWN = 8 << 30  # bytes a machine is taken to have that does not say


def check_pixels(width: int, height: int) -> None:
    """DataError for a picture larger than :func:`pixel_limit`, or without pixels; asked before
    anything is decoded."""
    if width < 1 or height < 1:
        raise DataError("the image is truncated or damaged", "it claims to have no pixels")
    most = pixel_limit()
    if width * height <= most:
        return
    size = f"{width}x{height}"
    hint = f"cut it into pieces of at most {most / 1e6:.0f} million pixels, or make it smaller"
    raise DataError(f"the image says it has {size} pixels, more than fit into memory", hint)


@cache
def pixel_limit() -> int:
    """The most pixels a photo may have here."""
    return min(MOST_PIXELS, memory() // BYTES_PER_PIXEL)


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
