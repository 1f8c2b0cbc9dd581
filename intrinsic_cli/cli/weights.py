"""``iid weights``: list, verify, import, install."""

from __future__ import annotations

from pathlib import Path

import click

from intrinsic_cli.api import IidError, WeightsError
from intrinsic_cli.cli import options, tab
from intrinsic_cli.cli.console import table

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(no_args_is_help=True)
def weights() -> None:
    """List, check, import and install weights."""


@weights.command("list")
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


@weights.command()
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...", shell_complete=tab.weights)
@options.as_json
@options.debug
def verify(names: tuple[str, ...], as_json: bool) -> int:
    """Check that weights are whole and the ones that were shipped; all of them if none is named."""
    from intrinsic_cli.cli.output import line
    from intrinsic_cli.cli.weights_check import check, choose

    checks = [check(name, path) for name, path in choose(names)]
    for told in checks:
        click.echo(
            line(told)
            if as_json
            else f"{told['status']}  {told['name']}  {told['sha256'] or told['error']}"
        )
    return 0 if all(told["status"] == "ok" for told in checks) else WeightsError.exit_code


@weights.command("import")
@click.argument("file", type=FILE)
@click.option("--name", default="", help="Name to keep it under.  [default: the method's own]")
@options.debug
def import_(file: Path, name: str) -> None:
    """Bring in FILE, an original checkpoint of a paper's own code. Prints where it went."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.runs.import_weights import import_checkpoint

    click.echo(str(import_checkpoint(file, load_registry(), name)))


@weights.command()
@click.argument("file", type=FILE)
@options.method(default=None, help="Method and variant.  [default: what the file's record says]")
@options.debug
def install(file: Path, method: str | None) -> None:
    """Make FILE the weights of its method on this machine. Prints where it went."""
    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.weights import install as put
    from intrinsic_cli.weights import read_record

    record = read_record(file)
    name = method or ":".join(filter(None, (record.get("method", ""), record.get("variant", ""))))
    if not name:
        raise IidError(f"{file} does not say which method it is for", "name it with -m")
    click.echo(str(put(file, *load_registry().resolve(name))))
