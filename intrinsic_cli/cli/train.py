"""``iid train``: every stage of a method, or one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.cli import console, options, tab
from intrinsic_cli.cli.command import MethodCommand
from intrinsic_cli.cli.console import progress
from intrinsic_cli.cli.failures import INTERRUPTED
from intrinsic_cli.cli.paths import ExistingPath

if TYPE_CHECKING:
    from intrinsic_cli.requests import TrainReport

FOLDER = click.Path(file_okay=False, path_type=Path)


data = click.option(
    "--data",
    metavar="NAME[:PATH]|FOLDER",
    default="",
    help="Dataset; see `iid datasets`.  [default: the method's own, mostly synth]",
    shell_complete=tab.datasets,
)
config = click.option(
    "--config",
    type=ExistingPath(dir_okay=False),
    help="Settings in a TOML file; the config.toml of a run repeats it.",
)
steps = click.option(
    "--steps", type=click.IntRange(min=1), help="Optimisation steps of each stage."
)
time_limit = click.option(
    "--for",
    "seconds",
    type=options.Duration(),
    metavar="30m",
    help="Stop and save after this time (s, m, h).",
)
resume = click.option(
    "--resume",
    type=ExistingPath(DataError, file_okay=False),
    help="Continue this run folder.",
)
init = click.option(
    "--init", default="", metavar="WEIGHTS", help="Start from these weights: fine-tune them."
)
nproc = click.option(
    "--nproc",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes to train in.",
)
install = click.option(
    "--install", is_flag=True, help="Make the result the method's weights on this machine."
)
setting = options.settings(
    "--set",
    "-O",
    help="One training setting; `--plugin NAME --help` lists them.",
    complete=tab.config_keys,
)


@click.command(cls=MethodCommand, knobs="config")
@options.method(default=None, help="Method and variant to train; --resume knows its own.")
@data
@click.option("--out", type=FOLDER, help="Run folder.  [default: runs/NAME/N]")
@config
@setting
@steps
@time_limit
@resume
@init
@click.option("--stage", default="", help="Train this stage only.", shell_complete=tab.stages)
@options.seed(default=None)
@options.device
@nproc
@install
@options.as_json
@options.debug
def train(
    settings: tuple[str, ...], seed: int | None, as_json: bool, method: str | None, **given: Any
) -> int:
    """Train a method. Ctrl-C saves and stops; `--resume` continues as if nothing had happened."""
    from intrinsic_cli.requests import TrainRequest
    from intrinsic_cli.runs.train.run import train as run

    if not (method or given["resume"] or given["config"]):
        hint = "name it with --plugin NAME; `iid methods` lists them"
        raise UsageError("no method to train", hint)
    overrides = settings if seed is None else (*settings, f"seed={seed}")
    request = TrainRequest(method or "", overrides=overrides, **given)
    with progress() as listener:
        report = run(request, listener)
    if not is_follower():
        _print(report, as_json)
    return INTERRUPTED if report.interrupted else 0


def is_follower() -> bool:
    """Does another process of the launch speak for this one?"""
    from intrinsic_cli.runs.launcher import launched

    place = launched(os.environ)
    return place is not None and place.rank > 0


def _print(report: TrainReport, as_json: bool) -> None:
    """The result on stdout; what to do next on stderr."""
    from intrinsic_cli.cli.output import dump

    if as_json:
        dump(report)
    else:
        console.result(str(report.weights or report.folder))
    for line in _next_steps(report):
        console.note(line)


def _next_steps(report: TrainReport) -> list[str]:
    lines = []
    if not report.finished:
        lines.append(f"stopped early; continue with: iid train --resume {report.folder}")
    if report.weights is None:
        lines.append("no weights to decompose with yet: the last stage has not been validated")
        return lines
    command = f"iid decompose PHOTO -m {report.method}"
    if not report.installed:
        command += f" --weights {report.folder}"
    lines.append(f"use the weights with: {command}")
    return lines
