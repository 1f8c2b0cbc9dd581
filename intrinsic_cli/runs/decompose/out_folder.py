"""The folder of the outputs: whether it is still there, and errors after which no photo can be
written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from intrinsic_cli.api import IidError

#: Errors that the next photo would meet too: the disk is full, read-only or gone.
_ENDS = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.ENODEV, errno.ENXIO),
    *(errno.EIO, errno.ENOTCONN, errno.EHOSTDOWN, errno.ENOTDIR),
)
AGAIN = "run the same command again: it goes on where it stopped"


class RunEndedError(IidError):
    """No photo can be done any more; the same command goes on where the run stopped."""


class OutputLostError(RunEndedError):
    """Nothing more can be written; the run ends here."""


class OutFolder:
    """The folder ``path``, made when it is first needed, and the same one ever after."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, int] | None = None

    def check(self) -> None:
        """OutputLostError where the folder is not the one it was: a share that is no longer
        mounted must not be written beside."""
        if self._known is None:
            self.path.mkdir(parents=True, exist_ok=True)
            self._known = self._identity()
        elif self._identity() != self._known:
            message = f"the output folder {self.path} is gone"
            raise OutputLostError(message, f"bring it back, then {AGAIN}")

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)  # noqa: PTH116  the name says what is wanted
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def refusal(self, error: OSError) -> IidError:
        """What is told where a file could not be written; an OutputLostError where the next could
        not either."""
        self.check()
        reason = error.strerror or str(error)
        if error.errno not in _ENDS:
            return IidError(f"its layers cannot be written: {reason}", "choose another -o folder")
        hint = f"see what is wrong with the disk, then {AGAIN}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = f"make room there, then {AGAIN}"
        return OutputLostError(f"cannot write to {self.path}: {reason}", hint)
