"""Files that are too large to be read whole."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.memory import check_pixels, in_strips
from intrinsic_cli.kit.files.read_bytes import FLAGS

_PIECE = 1 << 20  # bytes that are hashed at a time


@dataclass(frozen=True, slots=True)
class Asked:
    """Which picture of the file at ``path`` is asked for: the ``layer`` of an EXR, of at least so
    many pixels, whose shorter side has at least ``side``."""

    path: Path
    layer: str = ""
    least: int = 0
    side: int = 0

    def wants(self, size: tuple[int, int]) -> bool:
        """One of ``size`` (h, w)? DataError where it is too large for this machine."""
        height, width = size
        if height * width < self.least or min(size) < max(self.side, 1):
            return False
        with in_strips():
            check_pixels(width, height)
        return True


class FileParts:
    """A regular file that is open as long as this object is there. OSError where it cannot be
    opened, ValueError where it is not such a file."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, FLAGS)
        weakref.finalize(self, os.close, descriptor)
        self._file = open(descriptor, "rb", buffering=0, closefd=False)  # noqa: SIM115
        self._lock = threading.Lock()
        self._state = self._told()
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        self.size = status.st_size

    def read(self, place: int, length: int) -> bytearray:
        """So many bytes from a place on. EOFError where the file ends before; DataError where it is
        no longer the same file."""
        if not 0 <= place <= self.size - length:
            raise EOFError(f"the file ends before byte {place + length}")
        part = bytearray(length)
        rest = memoryview(part)
        with self._lock:
            self._file.seek(place)
            while rest:
                count = self._file.readinto(rest)
                if not count:
                    break
                rest = rest[count:]
        if self._told() != self._state:
            hint = "run the same command again when nobody writes to it"
            raise DataError("the file was changed while it was read", hint)
        if rest:
            raise EOFError(f"the file ends before byte {place + length}")
        return part

    def beginning(self, length: int) -> bytes:
        """So many bytes, or all."""
        return bytes(self.read(0, min(length, self.size)))

    def sha256(self) -> str:
        """Of all of it, as in a sidecar."""
        found = hashlib.sha256()
        for place in range(0, self.size, _PIECE):
            found.update(self.read(place, min(_PIECE, self.size - place)))
        return found.hexdigest()

    def mapped(self) -> memoryview:
        """All of it, of which memory holds what is looked at."""
        return memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def _told(self) -> tuple[int, int]:
        """What changes with a file."""
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns
