"""``iid decompose``: photos → layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from intrinsic_cli.cli import options
from intrinsic_cli.cli.command import MethodCommand

FORMATS = ("png", "png16", "jpg", "webp", "tiff", "exr", "npz")


@click.command(cls=MethodCommand, no_args_is_help=True)
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=click.Path(allow_dash=True))
@options.method()
@click.option(
    "-o",
    "--out",
    default="iid-out",
    show_default=True,
    metavar="DIR",
    help="Folder of the layers; `-` is stdout.",
)
@click.option("-r", "--recursive", is_flag=True, help="Look into subfolders.")
@click.option("--from-list", metavar="FILE", help="Read paths from a file, or from stdin with `-`.")
@click.option(
    "--layers", default="all", show_default=True, metavar="A,B|all", help="Which layers to write."
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="png",
    show_default=True,
    help="File format of the layers.",
)
@click.option(
    "--input-encoding", type=click.Choice(["auto", "srgb", "linear"]), default="auto", show_default=True,
    help="Transfer curve of the photos.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Do finished photos again.")
@options.weights
@options.settings("-O", "--option", help="One option of the method; `-m NAME --help` lists them.")
@options.config
@click.option("--preview", is_flag=True, help="Write a contact sheet of each photo.")
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
    skipped. Exit codes: 0 all done, 1 failed, 2 usage, 3 some photos failed, 4 no weights or data,
    130 interrupted."""
    from intrinsic_cli.cli.decompose_results import to_folder, to_stdout
    from intrinsic_cli.cli.inputs import gather
    from intrinsic_cli.requests import DecomposeRequest

    paths, stdin = gather(inputs, from_list)
    wanted = (
        () if layers == "all" else tuple(name.strip() for name in layers.split(",") if name.strip())
    )
    request = DecomposeRequest(
        inputs=paths,
        stdin=stdin,
        out=Path(out),
        layers=wanted,
        options=given.pop("settings"),
        **given,
    )
    return to_stdout(request) if out == "-" else to_folder(request, as_json)
