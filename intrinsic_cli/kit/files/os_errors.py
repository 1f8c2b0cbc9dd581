"""Errors of the operating system: what they mean to who named the file, and what to do. Light."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from intrinsic_cli.api import IidError

#: What to do, where the error alone tells.
_ADVICE = {
    errno.ELOOP: "its links lead in a circle",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EIO: "the disk or network drive fails: copy what is on it to another",
    errno.ESTALE: "the network drive was taken away: mount it again",
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room: your share of that disk is full",
    errno.EROFS: "it is mounted for reading only: choose another place",
    errno.EMFILE: "more files are open than this shell allows: ulimit -n 4096",
}
_FORBIDDEN = (errno.EACCES, errno.EPERM)
#: Files of a folder among which a name like the one that is missing is looked for.
_MOST_NAMES = 10_000
#: How like: photo.jpg and photo.jpeg are .95, a.png and gone.png .62.
_LIKE = 0.8


def reason(error: OSError) -> str:
    """What the system says, in lower case: ``permission denied``."""
    return (error.strerror or str(error)).lower()


def hint_of(error: IidError) -> str:
    """Its own hint, else what to do about the system's error that it comes from; "" where nobody
    knows."""
    cause = error.__cause__
    return error.hint or (advice(cause) if isinstance(cause, OSError) else "")


def advice(error: OSError) -> str:
    """What to do about it; "" where the error says it all."""
    if error.errno in _ADVICE:
        return _ADVICE[error.errno]
    if not isinstance(error.filename, str | bytes | Path):
        return ""
    path = Path(os.fsdecode(error.filename))
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return missing(path)
    if error.errno in _FORBIDDEN:
        return forbidden(path)
    return ""


def nothing_at(path: Path) -> str:
    """What is told of a path that was named and leads to no file or folder."""
    return f"there is nothing at {path}: {why_missing(path)}"


def why_missing(path: Path) -> str:
    """Why a path leads nowhere, in a few words."""
    link = os.path.islink(path)  # noqa: PTH114  Path's own raises for names that are too long
    if link:
        return "a link that leads nowhere"
    return "permission denied" if closed_folder(path) else "no such file"


def missing(path: Path) -> str:
    """Where a path that leads to no file ends, or which one was meant; "" where nobody knows."""
    if os.path.islink(path):  # noqa: PTH114  Path's own raises for names that are too long
        return f"it points to {os.readlink(path)}"  # noqa: PTH115  likewise
    if closed_folder(path):
        return forbidden(path)
    folder = path.parent
    gone = next(_not_there(folder), None)
    if gone is not None:
        return f"there is no folder {gone}"
    if folder.is_file():
        return f"{folder} is a file, not a folder"
    near = near_to(path)
    if near is not None:
        return f"did you mean {near}?"
    return "" if path.is_absolute() else f"it is looked for in {folder.absolute()}"


def near_to(path: Path) -> Path | None:
    """What lies in the same folder and is called much like it; None where nothing is."""
    names = _names_in(path.parent)
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=_LIKE)
    return path.parent / near[0] if near else None


def is_path(text: str) -> bool:
    """Is it a path, where a name could be given as well? Paths have slashes."""
    return "/" in text or os.sep in text


def _not_there(folder: Path) -> Iterator[Path]:
    """Those of the folder and the folders above it that are missing, from the top."""
    for part in (*reversed(folder.parents), folder):
        if not os.path.lexists(part):
            yield part


def _names_in(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)  # noqa: PTH208  names are all that is wanted
    except OSError:
        return []
    return names[:_MOST_NAMES]


def closed_folder(path: Path) -> Path | None:
    """The topmost folder above ``path`` that its owner lets nobody enter, or None."""
    above = reversed(path.absolute().parents)
    return next((folder for folder in above if _is_closed(folder)), None)


def _is_closed(folder: Path) -> bool:
    return os.path.isdir(folder) and not os.access(folder, os.X_OK)  # noqa: PTH112  never raises


def forbidden(path: Path) -> str:
    """Whose it is, and what stands in the way."""
    closed = closed_folder(path)
    if closed is not None:
        return f"you may not look into {closed}, which belongs to {_owner(closed)}"
    place, what, flag = (path, "read", "r")
    if not path.exists() or os.access(path, os.R_OK):
        place = path if path.exists() else path.absolute().parent
        what, flag = "write to", "w"
    owner = _owner(place)
    if hasattr(os, "getuid") and place.stat().st_uid == os.getuid():
        return f"it is yours: chmod u+{flag} {place}"
    return f"you may not {what} {place}, which belongs to {owner}"


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError, OSError):  # a user without a name; Windows
        return "another user"
