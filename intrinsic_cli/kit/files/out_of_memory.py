"""Memory that runs out while a photo is worked on: how it is known, and what is told. Light."""

from __future__ import annotations

import mmap

OUT_OF_MEMORY = "memory ran out"
HINT = (
    "make the photo smaller, or save it as JPEG or PNG of 8 bits, which are read in strips; "
    "--max-pixels N refuses what is too large"
)
#: How torch, its oneDNN and OpenCV say so, each in an error of its own.
_WORDS = ("allocate memory", "could not create a primitive", "Insufficient memory")
#: What a picture takes while it is decoded, with a copy of it.
_BYTES_PER_PIXEL = 24


def is_out_of_memory(error: BaseException) -> bool:
    """Is it an error of Python, torch or OpenCV that says so?"""
    return isinstance(error, MemoryError) or any(word in str(error) for word in _WORDS)


def has_room(width: int, height: int) -> bool:
    """Would memory hold a picture of this size? Where it would, and yet ran out, the file asked for
    more than its picture takes: it is damaged."""
    try:
        mmap.mmap(-1, max(1, width * height * _BYTES_PER_PIXEL)).close()
    except (OSError, OverflowError, ValueError, MemoryError):
        return False
    return True
