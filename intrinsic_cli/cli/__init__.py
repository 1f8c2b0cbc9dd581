"""The front of the house: ``iid``. Command modules are imported only when their command is used."""

from __future__ import annotations

import os
import sys

from intrinsic_cli.cli.failures import guarded
from intrinsic_cli.cli.group import LazyGroup
from intrinsic_cli.cli.surroundings import check_folder, open_streams

#: Command name → (module, what it does in one line). ``iid --help`` reads this table and imports no
#: command.
COMMANDS = {
    "decompose": ("decompose", "Take photos apart into layers."),
    "train": ("train", "Train a method, stage by stage."),
    "evaluate": ("evaluate", "Score methods on a dataset with truth."),
    "methods": ("methods", "List what is installed, or describe one method."),
    "weights": ("weights", "List, check, import and install weights."),
    "datasets": ("datasets", "List the datasets that can be read."),
    "plugin": ("plugin", "Begin a plugin of your own."),
    "completions": ("completions", "Print the completion script of a shell."),
}

HELP = """Split photos into albedo and shading.

\b
iid decompose photo.jpg              layers of one photo, in ./iid-out
iid decompose photos/ -m flow -o out layers of a folder
iid methods flow                     what a method can do
"""

iid = LazyGroup("iid", COMMANDS, HELP)


def main() -> None:
    """The entry point of ``iid``."""
    code = guarded(open_streams) or guarded(check_folder)
    if code:
        sys.exit(code)
    if "_IID_COMPLETE" in os.environ:
        from intrinsic_cli.cli import bash

        bash.register()
    iid.main()
