"""``iid plugin``: a package to begin a method of one's own with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from intrinsic_cli.cli import console, options

NEXT = (
    "next:",
    "  pip install -e {folder} pytest",
    "  python -m pytest {folder}",
    "  iid train --plugin {name} --for 1m --install",
    "  iid decompose photo.jpg -m {name}",
)


@click.group(no_args_is_help=True)
def plugin() -> None:
    """Begin a plugin of your own."""


@plugin.command(short_help="Write a package with a method that works.")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to make.  [default: iid-NAME]",
)
@options.debug
def new(name: str, out: Path | None) -> None:
    """Write a package that brings the method NAME: it trains, decomposes, evaluates and passes
    its test. Change it from there. Prints the files it wrote."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.runs.new_plugin import new_plugin

    folder = out or Path(f"iid-{name}")
    for path in new_plugin(name, folder, load_registry()):
        console.result(str(path))
    for line in NEXT:
        console.note(line.format(name=name, folder=shlex.quote(str(folder))))
