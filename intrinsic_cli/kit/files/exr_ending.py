"""Whether an EXR was written to its end: OpenEXR tells of a full disk only while it writes, not
when the last of its buffer is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np

from intrinsic_cli.kit.files.exr_attributes import read_attributes

#: Why writing fails, as OpenEXR's messages end.
_REASONS = (errno.ENOSPC, errno.EFBIG, errno.EIO)


def as_os_error(error: RuntimeError) -> OSError:
    """What OpenEXR says of a failed write, as Python says it."""
    for code in _REASONS:
        if os.strerror(code) in str(error):
            return OSError(code, os.strerror(code))
    return OSError(str(error))


def require_ending(path: Path, lines: int) -> None:
    """OSError unless all ``lines`` of a picture with a block a line are in the file."""
    try:
        whole = _last_byte(path, lines) <= path.stat().st_size
    except (IndexError, ValueError):
        whole = False
    if not whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last_byte(path: Path, lines: int) -> int:
    """Where the block that begins last ends. IndexError or ValueError where the file breaks off."""
    with path.open("rb") as file:
        _, end = read_attributes(file.read(1 << 12))
        file.seek(end)
        places = np.frombuffer(file.read(8 * lines), "<u8", lines)
        if not places.all():
            raise ValueError("a line was not written")
        last = int(places.max())
        file.seek(last)
        size = np.frombuffer(file.read(8), "<i4", 2)[1]
    return last + 8 + int(size)
