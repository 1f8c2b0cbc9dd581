"""``iid weights``: list, verify, import, install, remove, export."""

from __future__ import annotations

import os
from pathlib import Path

import click

from intrinsic_cli.api import IidError, UsageError, WeightsError
from intrinsic_cli.cli import console, options, tab
from intrinsic_cli.cli.console import table
from intrinsic_cli.cli.paths import ExistingPath

FILE = ExistingPath(WeightsError, dir_okay=False)


@click.group(no_args_is_help=True)
def weights() -> None:
    """List, check, import, install, remove and export weights."""


@weights.command("list", short_help="List the weights on this machine.")
@options.as_json
@options.debug
def list_(as_json: bool) -> None:
    """List the weights on this machine; installed ones come before packaged ones."""
    from intrinsic_cli.cli import descriptions, output
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import list_weights

    files = [descriptions.weights(file) for file in list_weights(load_registry())]
    if as_json:
        output.dump({"weights": files})
        return
    columns = ("name", "method", "variant", "place", "bytes", "sha256", "path")
    table(columns, [[file[column] for column in columns] for file in files])


@weights.command(short_help="Check that weights are whole.")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...", shell_complete=tab.weights)
@options.as_json
@options.debug
def verify(names: tuple[str, ...], as_json: bool) -> int:
    """Check that weights are whole and the ones that were shipped; all of them if none is named."""
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.cli.weights_check import check, choose
    from intrinsic_cli.registry import load_registry

    registry = load_registry()
    checked = []
    for file in choose(names, registry):
        told = check(file, registry)
        checked.append(told)
        if not as_json:
            found = told["sha256"] or told["error"]
            console.line(f"{told['status']}  {told['name']}  {found}")
    if as_json:
        dump({"weights": checked})
    whole = all(told["status"] == "ok" for told in checked)
    return 0 if whole else WeightsError.exit_code


@weights.command("import", short_help="Bring in a checkpoint of a paper's own code.")
@click.argument("file", metavar="FILE|DIR", type=ExistingPath(WeightsError))
@click.option("--name", default="", help="Name to keep it under.  [default: the method's own]")
@options.debug
def import_(file: Path, name: str) -> None:
    """Bring in FILE, an original checkpoint of a paper's own code, or the folder of several that
    are one network's. Prints where it went."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.runs.import_weights import import_checkpoint

    console.result(str(import_checkpoint(file, load_registry(), name)))


@weights.command(short_help="Make FILE the weights of its method.")
@click.argument("file", type=FILE)
@options.method(default=None, help="Method and variant.  [default: what the file's record says]")
@options.debug
def install(file: Path, method: str | None) -> None:
    """Make FILE the weights of its method on this machine. Prints where it went."""
    from intrinsic_cli.cli.weights_check import whose
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.runs.check_weights import install_weights

    registry = load_registry()
    name = method or whose(file, registry)
    if not name:
        raise IidError(f"{file} does not say which method it is for", "name it with -m")
    console.result(str(install_weights(file, *registry.resolve(name))))


@weights.command(short_help="Take installed weights away.")
@click.argument("name", shell_complete=tab.weights)
@options.debug
def remove(name: str) -> None:
    """Take the installed weights NAME away; those of the package are used again."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import list_weights
    from intrinsic_cli.weights import remove as take_away

    path = take_away(name)
    left = [file.path for file in list_weights(load_registry()) if file.name == name]
    then = f"; {left[0]} is used again" if left else ""
    console.note(f"removed {path}{then}")


@weights.command(short_help="Copy weights to a file.")
@click.argument("name", shell_complete=tab.weights)
@click.argument("file", metavar="FILE|DIR", type=click.Path())
@options.debug
def export(name: str, file: str) -> None:
    """Copy the weights NAME to FILE (or into that folder). Prints where they went."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import export as copy

    target = Path(file)
    if file == "-":
        raise UsageError("weights are not printed", "name a file, or ./- for one of that name")
    if file.endswith(("/", os.sep)) and not target.is_dir():
        raise UsageError(f"there is no folder {target}", "make it first, or name a file")
    console.result(str(copy(name, target, load_registry())))
