"""``iid decompose``: photos → layers."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from intrinsic_cli.cli import options
from intrinsic_cli.cli.command import MethodCommand
from intrinsic_cli.cli.decompose_options import OUTPUTS, PHOTOS, RUNS, several
from intrinsic_cli.cli.layer_file import is_layer_file

if TYPE_CHECKING:
    from intrinsic_cli.requests import DecomposeRequest


@click.command(cls=MethodCommand)
@click.argument(
    "inputs", nargs=-1, metavar="INPUT...", type=click.Path(readable=False, allow_dash=True)
)
@options.method()
@several(OUTPUTS)
@several(PHOTOS)
@several(RUNS)
@options.weights
@options.settings("-O", "--option", help="One option of the method; `-m NAME --help` lists them.")
@options.config
@click.option(
    "--batch-size",
    type=options.AutoInt(),
    default="auto",
    show_default=True,
    help="Photos at a time.",
)
@options.seed()
@options.device
@options.as_json
@options.debug
def decompose(
    inputs: tuple[str, ...],
    from_list: str | None,
    layers: str,
    out: str,
    as_json: bool,
    **given: Any,
) -> int:
    """Take photos apart into layers.

    stdout gets one written path a line, or with --json one object per photo. Finished photos are
    skipped; iid-manifest.jsonl in the output folder tells what became of each. Exit codes: 0 all
    done, 1 failed, 2 usage, 3 some photos failed, 4 no weights or data, 130 interrupted."""
    from intrinsic_cli.cli.decompose_results import to_file, to_folder, to_stdout
    from intrinsic_cli.cli.inputs import gather
    from intrinsic_cli.kit.files.quiet import separate_streams
    from intrinsic_cli.requests import DecomposeRequest

    separate_streams()
    paths, stdin = gather(inputs, from_list)
    wanted = split_names(layers)
    chosen = given.pop("settings")
    request = DecomposeRequest(
        paths, stdin=stdin, out=Path(out), layers=wanted, options=chosen, **given
    )
    if out == "-":
        return to_stdout(request)
    if is_layer_file(request):
        return to_file(request, as_json)
    return to_folder(in_its_shard(request), as_json)


def in_its_shard(request: DecomposeRequest) -> DecomposeRequest:
    """The request for the part of the photos that torchrun or SLURM gave this process, unless it
    names one."""
    from intrinsic_cli.cli import console
    from intrinsic_cli.runs.decompose.shards import shard_here

    if request.shard:
        return request
    shard, note = shard_here(os.environ)
    if note:
        console.note(note)
    return replace(request, shard=shard)


def split_names(layers: str) -> tuple[str, ...]:
    """``a,b`` → (a, b); ``all`` → (): the method's own."""
    if layers == "all":
        return ()
    names = [name.strip() for name in layers.split(",")]
    return tuple(filter(None, names))
