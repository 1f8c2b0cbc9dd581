"""Whether files can be made in a folder: asked before hours of work, not after. Light."""

from __future__ import annotations

import tempfile
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.os_errors import reason


def check_writable(folder: Path, hint: str) -> None:
    """UsageError with ``hint`` unless a file can be made in ``folder``, or in the one in which it
    will be made."""
    standing = folder
    try:
        around = (folder, *folder.absolute().parents)
        standing = next(path for path in around if path.exists())
        if not standing.is_dir():
            raise UsageError(f"{standing} is not a folder", hint)
        with tempfile.TemporaryFile(dir=standing):
            pass
    except OSError as error:
        raise UsageError(f"cannot write to {standing}: {reason(error)}", hint) from error
