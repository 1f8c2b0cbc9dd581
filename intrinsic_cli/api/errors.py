"""Errors a user can mend. Each is one sentence, a hint, and the exit code the command line ends
with::

    IidError            1  anything else a user can mend
    ├── UsageError      2  a name, option or value that does not exist
    ├── DataError       4  a file or dataset that is missing, broken or laid out differently
    ├── WeightsError    4  weights that are missing, damaged or made for another network
    ├── TrainingError   1  a training run that cannot go on
    └── PluginError     1  a plugin that cannot be loaded or breaks its contract

``iid decompose`` ends with 3 where some photos failed and the others are done; Ctrl-C with 130.
"""

from __future__ import annotations

from typing import ClassVar

PLUGIN_HINT = "this is a mistake of the plugin, not of your files: tell those who wrote it"


class IidError(Exception):
    """Something the user can mend: ``message`` says what is wrong, ``hint`` what to do about it."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(IidError):
    """A name, option or value the command does not know (exit 2)."""

    exit_code = 2


class DataError(IidError):
    """A file or dataset that is missing, broken or laid out differently than expected (exit 4)."""

    exit_code = 4


class WeightsError(IidError):
    """Weights that are missing, damaged or made for another network (exit 4)."""

    exit_code = 4


class TrainingError(IidError):
    """A training run that cannot go on, such as a loss that is no longer finite (exit 1)."""


class PluginError(IidError):
    """A plugin that cannot be loaded or breaks its contract (exit 1). Users cannot mend it: without
    a hint of its own it says so."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint or PLUGIN_HINT)
