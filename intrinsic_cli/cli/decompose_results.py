"""Running a decomposition from the command line: results on stdout as they come, a summary at the
end."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from intrinsic_cli.api import UsageError
from intrinsic_cli.cli.console import progress
from intrinsic_cli.cli.output import line
from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport

FAILED, SOME_FAILED = 1, 3


def to_folder(request: DecomposeRequest, as_json: bool) -> int:
    """Write layers below ``request.out``; print each path, or a JSON line per photo."""
    from intrinsic_cli.runs.decompose.run import decompose

    with progress() as listener:

        def tell(item: InputReport) -> None:
            if as_json:
                listener.result(line(item))
            elif item.status == "done":
                for path in dict.fromkeys(
                    item.layers.values()
                ):  # npz holds every layer in one file
                    listener.result(path)

        report = decompose(request, listener, on_input=tell)
    return _sum_up(report)


def to_stdout(request: DecomposeRequest) -> int:
    """One layer of one photo as bytes on stdout."""
    from intrinsic_cli.runs.decompose.run import decompose

    if len(request.inputs) != 1 or (len(request.layers) != 1 and request.format != "npz"):
        raise UsageError("`-o -` writes one layer of one photo", "give one input and --layers NAME")
    with tempfile.TemporaryDirectory(prefix="iid-") as folder, progress() as listener:
        report = decompose(replace(request, out=Path(folder)), listener, on_input=lambda item: None)
        for item in report.inputs:
            for path in dict.fromkeys(item.layers.values()):
                sys.stdout.buffer.write(Path(path).read_bytes())
    return _sum_up(report)


def _sum_up(report: DecomposeReport) -> int:
    done, skipped, failed = map(report.count, ("done", "skipped", "failed"))
    for item in report.inputs:
        if item.status == "failed":
            click.echo(f"failed: {item.input}: {item.error}", err=True)
    click.echo(
        f"{done} done, {skipped} skipped, {failed} failed in {report.seconds:.1f} s", err=True
    )
    if not failed:
        return 0
    return SOME_FAILED if done or skipped else FAILED
