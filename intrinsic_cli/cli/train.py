"""``iid train``: every stage of a method, or one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from intrinsic_cli.api import UsageError
from intrinsic_cli.cli import options, tab
from intrinsic_cli.cli.command import MethodCommand
from intrinsic_cli.cli.console import progress
from intrinsic_cli.cli.failures import INTERRUPTED

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=MethodCommand, knobs="config")
@options.method(default=None, help="Method and variant to train; --resume knows its own.")
@options.data()
@click.option("--out", type=FOLDER, help="Run folder.  [default: runs/NAME/N]")
@options.config
@options.settings(
    "--set",
    "-O",
    help="One training setting; `--plugin NAME --help` lists them.",
    complete=tab.config_keys,
)
@click.option("--steps", type=click.IntRange(min=1), help="Optimisation steps of each stage.")
@click.option(
    "--for",
    "seconds",
    type=options.Duration(),
    metavar="30m",
    help="Stop and save after this time (s, m, h).",
)
@click.option(
    "--resume",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Continue this run folder.",
)
@click.option("--init", default="", metavar="WEIGHTS", help="Start from these weights.")
@click.option("--stage", default="", help="Train this stage only.")
@options.seed(default=None)
@options.device
@click.option(
    "--nproc",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes to train in.",
)
@click.option(
    "--install", is_flag=True, help="Make the result the method's weights on this machine."
)
@options.as_json
@options.debug
def train(settings: tuple[str, ...], seed: int | None, as_json: bool, **given: Any) -> int:
    """Train a method. Ctrl-C saves and stops; `--resume` continues as if nothing had happened."""
    from intrinsic_cli.requests import TrainRequest
    from intrinsic_cli.runs.train.run import train as run

    if not given["method"] and not given["resume"]:
        raise UsageError(
            "no method to train", "name it with --plugin NAME; `iid methods` lists them"
        )
    given["method"] = given["method"] or ""
    overrides = settings if seed is None else (*settings, f"seed={seed}")
    began = time.monotonic()
    with progress() as listener:
        report = run(TrainRequest(overrides=overrides, **given), listener)
    _print(report, as_json)
    timed_out = given["seconds"] is not None and time.monotonic() - began >= given["seconds"]
    if not report.finished:
        click.echo(f"stopped early; continue with: iid train --resume {report.folder}", err=True)
    return 0 if report.finished or timed_out else INTERRUPTED


def _print(report: Any, as_json: bool) -> None:
    from intrinsic_cli.cli.output import dump

    if as_json:
        dump(report)
    else:
        click.echo(str(report.weights or report.folder))
