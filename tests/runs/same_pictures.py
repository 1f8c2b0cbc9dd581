"""What files hold, whatever they look like compressed: ISA-L and zlib-ng now and then put the same
pixels into other bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from intrinsic_cli.kit.files.opencv import cv2


def content(path: Path) -> bytes:
    """Of PNG and EXR a hash of the numbers, of what can't be read and of other files the bytes."""
    planes = _planes(path)
    if planes is None:
        return path.read_bytes()
    told = hashlib.sha256()
    for name, plane in sorted(planes.items()):
        told.update(f"{name} {plane.dtype} {plane.shape}".encode())
        told.update(np.ascontiguousarray(plane).tobytes())
    return told.digest()


def _planes(path: Path) -> dict[str, Any] | None:
    if path.suffix == ".png":
        codes = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        return None if codes is None else {"": codes}
    if path.suffix == ".exr":
        with OpenEXR.File(str(path), separate_channels=True) as file:
            return {name: channel.pixels for name, channel in file.channels().items()}
    return None
