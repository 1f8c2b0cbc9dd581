"""``iid decompose -o``: a folder, or a file for one layer whose name says its format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.formats import (
    LAYER_SUFFIXES,
    PHOTO_SUFFIXES,
    VIDEO,
    format_name,
    other_format,
)

if TYPE_CHECKING:
    from intrinsic_cli.requests import DecomposeRequest


def is_layer_file(request: DecomposeRequest) -> bool:
    """Does ``-o`` name a file for one layer, and not a folder? UsageError where the name is that of
    another format, or of a picture that cannot be written."""
    out = request.out
    if out.is_dir():
        return False
    named = format_name(out.suffix[1:])
    if named in LAYER_SUFFIXES:
        _check_format(out, named, request.format)
        return True
    if _is_picture_name(out):
        suffixes = ", ".join(dict.fromkeys(LAYER_SUFFIXES.values()))
        hint = f"-o FILE ends in one of {suffixes}; a folder of this name has to be made first"
        raise UsageError(f"layers cannot be written as {out.suffix}", hint)
    return False


def _check_format(out: Path, named: str, form: str) -> None:
    """UsageError where the name contradicts a format that was typed; the default gives way."""
    source = click.get_current_context().get_parameter_source("format")
    wanted = LAYER_SUFFIXES[form]
    if source is not ParameterSource.DEFAULT and LAYER_SUFFIXES[named] != wanted:
        message = f"-o {out} is not of the --format {form}"
        raise UsageError(message, f"end the file's name in {wanted}, or leave out --format")


def _is_picture_name(path: Path) -> bool:
    """Is it called as pictures are? (Folders of a shot's frames may be called like its video.)"""
    return path.suffix.lower() in PHOTO_SUFFIXES or other_format(path) not in (None, VIDEO)
