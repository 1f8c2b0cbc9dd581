"""``iid evaluate``: one table of metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from intrinsic_cli.cli import listing, options
from intrinsic_cli.cli.command import MethodCommand
from intrinsic_cli.cli.console import progress, table

FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command(cls=MethodCommand)
@options.method(default=("flow",), multiple=True, help="Method and variant; may be given several times.")
@options.data()
@click.option(
    "--split", type=click.Choice(["val", "train"]), default="val", show_default=True, help="Part of the dataset."
)
@click.option("--limit", type=click.IntRange(min=1), help="Score the first N cases only.")
@click.option(
    "--json",
    "json_file",
    type=FILE,
    metavar="FILE",
    help="Write the table and every case as JSON; `-` prints it instead of the table.",
)
@click.option("--csv", "csv_file", type=FILE, metavar="FILE", help="Write the table as CSV; `-` prints it instead.")
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), help="Folder for pictures of the worst and best cases."
)
@options.weights
@options.settings("-O", "--option", help="One option of the method; `-m NAME --help` lists them.")
@options.seed()
@options.device
@options.debug
def evaluate(json_file: Path | None, csv_file: Path | None, **given: Any) -> None:
    """Score methods on a dataset with truth. Every row is named by its protocol."""
    from intrinsic_cli.requests import EvaluateRequest
    from intrinsic_cli.runs.evaluate import evaluate as run

    request = EvaluateRequest(methods=given.pop("method"), options=given.pop("settings"), **given)
    with progress() as listener:
        report = run(request, listener)
    columns = list(dict.fromkeys(key for row in report.rows for key in row))
    cells = [[row.get(key, "") for key in columns] for row in report.rows]
    if listing.STDOUT not in (json_file, csv_file):
        table(columns, cells)
        click.echo(f"protocol {report.protocol}, data {report.data}")
    if json_file:
        listing.put(json_file, listing.text(report) + "\n")
    if csv_file:
        listing.put(csv_file, listing.csv([columns, *cells]))
