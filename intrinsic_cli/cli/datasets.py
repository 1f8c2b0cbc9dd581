"""``iid datasets``: what can be read, whether it is whole, and how to make it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from intrinsic_cli.cli import options, tab

FOLDER = click.Path(file_okay=False, path_type=Path)
SHOWN = ("layout", "licence", "page", "protocols", "offers")


@click.group(invoke_without_command=True)
@options.as_json
@options.debug
@click.pass_context
def datasets(context: click.Context, as_json: bool) -> None:
    """List the datasets that --data can name. Any folder with photo/ and albedo/ or shading/ is one
    too."""
    if context.invoked_subcommand:
        return
    from intrinsic_cli.cli import descriptions
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.registry import load_registry

    listed = descriptions.datasets(load_registry())
    if as_json:
        dump({"datasets": listed})
        return
    click.echo("\n\n".join(map(_described, listed)))


@datasets.command()
@click.argument("data", metavar="NAME[:PATH]|FOLDER", shell_complete=tab.datasets)
@options.as_json
@options.debug
def check(data: str, as_json: bool) -> None:
    """Say whether a dataset is whole, or which files are missing."""
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.runs.datasets import check as run

    report = run(data)
    if as_json:
        dump(report)
        return
    told: dict[str, Mapping[Any, int | None]] = {"cases": report.cases, **report.collections}
    counts = "  ".join(f"{name}: {_counted(splits)}" for name, splits in told.items() if splits)
    protocol = f"  protocol: {report.protocol}" if report.cases else ""
    click.echo(f"{data}: ok  {counts}{protocol}  offers: {', '.join(report.offers)}")


@datasets.command()
@click.argument("name", shell_complete=tab.datasets)
@click.argument("source", metavar="SRC", type=FOLDER)
@click.argument("out", metavar="OUT", type=FOLDER)
@options.debug
def prepare(name: str, source: Path, out: Path) -> None:
    """Turn the originals in SRC into what the reader of NAME opens, in OUT; what is there already
    is kept.

    \b
    hypersim         renderings → tone-mapped photo, albedo and shading of 256 pixels
    sfsnet, celeba   the lists train.csv and test.csv (OUT may be SRC)
    cub              crops of the birds with silhouettes and keypoints
    """
    from intrinsic_cli.cli.console import progress
    from intrinsic_cli.runs.datasets import prepare as run

    with progress() as listener:
        made = run(name, source, out, listener)
    click.echo(f"{out}: {made} made")


def _counted(splits: Mapping[str, int | None]) -> str:
    return ", ".join(
        f"{split} {'?' if count is None else count}" for split, count in splits.items()
    )


def _described(row: dict[str, Any]) -> str:
    """A dataset as a paragraph: its name and what it is, then a line a fact."""
    told = {
        name: row[name] if isinstance(row[name], str) else ", ".join(row[name]) for name in SHOWN
    }
    lines = [f"  {name:<10} {value}" for name, value in told.items() if value]
    return "\n".join([f"{row['name']}: {row['summary']}", *lines])
