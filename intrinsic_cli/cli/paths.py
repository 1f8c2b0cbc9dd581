"""Paths that have to be there, and what is told where they are not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from intrinsic_cli.api import IidError, UsageError
from intrinsic_cli.kit.files.os_errors import advice, forbidden, missing, nothing_at, reason


class ExistingPath(click.Path):
    """A path to something that is there and may be read. An ``error`` names what was meant, the
    folder that is missing, or whose the file is: a UsageError, or what is raised where what lies at
    the path is broken."""

    def __init__(self, error: type[IidError] = UsageError, **kinds: Any) -> None:
        super().__init__(exists=True, readable=False, path_type=Path, **kinds)
        self._error = error

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or the error."""
        path = Path(value)
        try:
            path.stat()
        except FileNotFoundError as error:
            raise self._error(nothing_at(path), missing(path) or _see(ctx)) from error
        except OSError as error:
            raise self._error(f"{path}: {reason(error)}", advice(error) or _see(ctx)) from error
        if not os.access(path, os.R_OK):
            raise self._error(f"{path}: permission denied", forbidden(path))
        return super().convert(value, param, ctx)


def _see(ctx: click.Context | None) -> str:
    return f"see `{ctx.command_path} --help`" if ctx is not None else ""
