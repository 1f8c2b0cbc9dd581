"""``iid evaluate``: one table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from intrinsic_cli.api import UsageError
from intrinsic_cli.cli import options, output, score_table
from intrinsic_cli.cli.command import MethodCommand
from intrinsic_cli.cli.console import progress

SOME_FAILED = 3
FILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def predictions(function: Any) -> Any:
    """``--predictions`` and how to read them."""
    for option in (
        click.option(
            "--predictions-encoding",
            type=click.Choice(["auto", "srgb", "linear"]),
            default="auto",
            show_default=True,
            help="Transfer curve of predictions without a sidecar; auto: float files linear, "
            "others sRGB.",
        ),
        click.option(
            "--pattern",
            "patterns",
            multiple=True,
            metavar="LAYER=GLOB",
            help="How predictions are named below DIR, as in 'albedo=out/{case}_ref.png'.",
        ),
        click.option(
            "--predictions",
            multiple=True,
            metavar="[NAME=]DIR",
            help="Folder of layers made by any program: CASE.albedo.*, CASE_albedo.*, "
            "albedo/CASE.*, CASE/albedo.* …",
        ),
    ):
        function = option(function)
    return function


def results(function: Any) -> Any:
    """Where the results go."""
    for option in (
        click.option(
            "--save",
            type=FOLDER,
            metavar="DIR",
            help="Folder for pictures of the worst and best cases; those of a run before are "
            "replaced, other files stay.",
        ),
        click.option(
            "--csv",
            "csv_file",
            type=FILE,
            is_flag=False,
            flag_value="-",
            metavar="[FILE]",
            help="Write the table as CSV, in place of FILE when all is scored; without FILE (or "
            "with `-`) print it instead.",
        ),
        click.option(
            "--json",
            "json_file",
            type=FILE,
            is_flag=False,
            flag_value="-",
            metavar="[FILE]",
            help="Write the table and every case as JSON, in place of FILE when all is scored; "
            "without FILE (or with `-`) print it instead of the table. A killed evaluation goes on "
            "where it was when it is called again with the same FILE.",
        ),
    ):
        function = option(function)
    return function


@click.command(cls=MethodCommand)
@options.method(
    default=None,
    multiple=True,
    help="May be given several times.  [default: flow, or just --predictions]",
)
@predictions
@options.data()
@click.option(
    "--split",
    type=click.Choice(["val", "train", "all"]),
    default="val",
    show_default=True,
    help="Part of the dataset; all: both.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Score the first N cases only; photos, where a photo is several cases (steady).",
)
@results
@click.option(
    "--weights",
    multiple=True,
    metavar="[METHOD=]PATH|NAME",
    help="Weights other than the method's own.",
)
@options.settings(
    "-O",
    "--option",
    help="A method's option; flow.KEY=VALUE is for flow alone. `-m NAME --help` lists.",
)
@options.config
@options.seed()
@options.device
@options.debug
def evaluate(
    json_file: Path | None,
    csv_file: Path | None,
    method: tuple[str, ...],
    settings: tuple[str, ...],
    **given: Any,
) -> int:
    """Score methods, and layers that other programs wrote, on a dataset with truth.

    Every table names its protocol. Exit codes: 0 all scored, 2 usage, 3 some cases failed, 4 no
    weights or data."""
    from intrinsic_cli.kit.files.quiet import separate_streams
    from intrinsic_cli.requests import EvaluateRequest
    from intrinsic_cli.runs.evaluate.run import evaluate as run

    separate_streams()
    _check(json_file, csv_file)
    methods = method or (() if given["predictions"] else ("flow",))
    request = EvaluateRequest(
        methods=methods, options=settings, cache=_cache_beside(json_file), **given
    )
    with progress() as listener:
        report = run(request, listener)
    _print(report, json_file, csv_file)
    score_table.tell(report.failures)
    return SOME_FAILED if report.failures else 0


def _check(json_file: Path | None, csv_file: Path | None) -> None:
    """UsageError where they cannot be written, before there is something to write."""
    from intrinsic_cli.kit.files.writable import check_writable

    if json_file == csv_file == output.STDOUT:
        raise UsageError("--json and --csv cannot both be printed", "give a file to one of them")
    if json_file and csv_file and json_file.resolve() == csv_file.resolve():
        message = f"--json and --csv cannot both be written to {csv_file}"
        raise UsageError(message, "give each a file of its own")
    if csv_file is not None and csv_file != output.STDOUT:
        check_writable(csv_file.absolute().parent, "name another --csv file")


def _cache_beside(json_file: Path | None) -> Path | None:
    """Where scores are remembered until all are there."""
    if json_file is None or json_file == output.STDOUT:
        return None
    return json_file.with_suffix(".cases.jsonl")


def _print(report: Any, json_file: Path | None, csv_file: Path | None) -> None:
    """The table, unless something else is printed instead, and the files."""
    if output.STDOUT not in (json_file, csv_file):
        score_table.show(report)
    if json_file:
        output.put(json_file, output.text(report) + "\n")
    if csv_file:
        columns, rows = score_table.flat(report)
        output.put(csv_file, output.csv([columns, *rows]))
