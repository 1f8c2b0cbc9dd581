"""Files that are whole or absent: nothing half-written ever carries its final name."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrinsic_cli.api import IidError

PREFIX = ".iid-"
FULL = 2**20  # bytes; a disk with fewer that refuses a file is full
FORGOTTEN = 24 * 3600  # seconds after which another machine's unfinished file counts as left behind


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` (same suffix) that takes its name when the block ends
    without an error. OSError, of ``path``, where the disk is full, whatever the block made of
    it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{PREFIX}{HOST}-{os.getpid()}-"
    try:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        error.filename = str(path)  # nobody knows the other name
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)
        temporary.replace(path)
    except Exception as error:
        if _tells_of_full_disk(error, path.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _tells_of_full_disk(error: Exception, folder: Path) -> bool:
    """Is it for want of room? What writes in C++ and Rust, as torch and safetensors do, has words
    of its own for that, and no number; OpenCV takes its half-written file away and says nothing."""
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return error.errno == errno.ENOSPC
    return not isinstance(error, IidError) and shutil.disk_usage(folder).free < FULL


def write_text(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sweep(folder: Path) -> None:
    """Remove what killed runs left half-written in ``folder``; files of runs still going on
    stay."""
    for path in folder.glob(f"{PREFIX}*"):
        if _is_abandoned(path):
            with contextlib.suppress(OSError):  # another run may be sweeping too
                path.unlink()


def _is_abandoned(path: Path) -> bool:
    host, _, rest = path.name.removeprefix(PREFIX).rpartition("-")[0].rpartition("-")
    if host == HOST and rest.isdigit() and os.name == "posix":
        return not is_alive(int(rest))
    try:
        return time.time() - path.stat().st_mtime > FORGOTTEN
    except OSError:
        return False


def is_alive(process: int) -> bool:
    """Does a process of this machine still run? (POSIX; elsewhere asking would end it.)"""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Reading the umask changes it for a moment, which threads must not see: read once, on import.
_UMASK = _umask()
HOST = socket.gethostname()
