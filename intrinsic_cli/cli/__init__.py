"""The front of the house: ``iid``. Command modules are imported only when their command is used."""

from __future__ import annotations

import io
import sys

from intrinsic_cli.cli.group import LazyGroup

#: Command name → (module, what it does in one line). ``iid --help`` reads this table and imports no
#: command.
COMMANDS = {
    "decompose": ("decompose", "Take photos apart into layers."),
    "train": ("train", "Train a method, stage by stage."),
    "evaluate": ("evaluate", "Score methods on a dataset with truth."),
    "methods": ("methods", "List what is installed, or describe one method."),
    "weights": ("weights", "List, check, import and install weights."),
    "datasets": ("datasets", "List the datasets that can be read."),
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="surrogateescape"
        )  # a file name may be any bytes, and comes out as it went in
    iid.main()
