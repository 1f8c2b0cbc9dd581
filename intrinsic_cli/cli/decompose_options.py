"""Options of ``iid decompose`` alone: which photos, and how their layers are written."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

from intrinsic_cli.cli import options, tab
from intrinsic_cli.kit.files.formats import LAYER_SUFFIXES, format_name

Decorator = Callable[[Any], Any]


class Format(click.Choice):  # type: ignore[type-arg]  # generic only in newer click
    """A format of layers: PNG, jpeg and tif are understood too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The format as the house calls it, or a usage error."""
        return super().convert(format_name(str(value)), param, ctx)


PHOTOS: tuple[Decorator, ...] = (
    click.option("-r", "--recursive", is_flag=True, help="Look into subfolders."),
    click.option(
        "--from-list", metavar="FILE", help="Read paths from a file, or from stdin with `-`."
    ),
    click.option(
        "--input-encoding",
        type=click.Choice(["auto", "srgb", "linear"]),
        default="auto",
        show_default=True,
        help="Transfer curve of the photos.",
    ),
    click.option(
        "--exr-layer", default="", metavar="NAME", help="Layer of an EXR that has several."
    ),
    click.option(
        "--max-pixels",
        type=options.AutoInt(),
        default="auto",
        show_default=True,
        help="Refuse larger photos; auto: those that free memory cannot hold.",
    ),
    click.option(
        "--sequence",
        is_flag=True,
        help="Numbered photos are frames of one shot; a.%04d.png and a.#### say so by themselves.",
    ),
    click.option(
        "--fps",
        type=float,
        metavar="N",
        help="Frames a second: to take of videos, else all; of sequences, else 24.",
    ),
    click.option(
        "--mask",
        type=click.Path(readable=False, path_type=Path),
        metavar="FILE|DIR",
        help="Silhouette of the object, white on black; a folder holds one a photo, by stem.",
    ),
)
OUTPUTS: tuple[Decorator, ...] = (
    click.option(
        "-o",
        "--out",
        default="iid-out",
        show_default=True,
        metavar="DIR",
        help="Folder of the layers; FILE.png or `-` (stdout) for one layer of one photo.",
    ),
    click.option(
        "--layers",
        default="all",
        show_default=True,
        metavar="A,B|all",
        help="Which layers and other outputs to write.",
        shell_complete=tab.layers,
    ),
    click.option(
        "--name",
        default="{stem}",
        show_default=True,
        metavar="PATTERN",
        help="Beginning of file names: {stem}, {method}, {variant}, {format}.",
    ),
    click.option(
        "--format",
        type=Format(tuple(LAYER_SUFFIXES)),
        default="png",
        show_default=True,
        help="File format of the layers.",
    ),
    click.option(
        "--exr-multilayer",
        is_flag=True,
        help="One EXR of each photo and its layers: R, albedo.R, … (--format exr or exr32).",
    ),
    click.option(
        "--metadata",
        type=click.Choice(["keep", "strip"]),
        default="keep",
        show_default=True,
        help="EXIF of the photo and colour tags in the layers, where the format has a place.",
    ),
    click.option(
        "--frames/--video",
        default=None,
        help="Layers of clips as pictures, as with every --format but png, or as videos.",
    ),
    click.option("--preview", is_flag=True, help="Write a contact sheet of each photo."),
    click.option("--force", is_flag=True, help="Do finished photos again."),
)
RUNS: tuple[Decorator, ...] = (
    click.option(
        "--shard",
        default="",
        metavar="I/N",
        help="Do one part of N, from 1/N to N/N; torchrun and SLURM tell it by themselves.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["threads", "ray"]),
        default="threads",
        show_default=True,
        help="Who does the photos: this process, or the Ray cluster at RAY_ADDRESS (or here).",
    ),
    click.option("--retry-failed", is_flag=True, help="Do only photos that failed last time."),
    click.option("--watch", is_flag=True, help="Go on with photos that come into the folders."),
    click.option(
        "--for",
        "seconds",
        type=options.Duration(),
        metavar="DURATION",
        help="How long to --watch, like 90s, 30m or 2h; else until Ctrl-C.",
    ),
)


def several(decorators: tuple[Decorator, ...]) -> Decorator:
    """Options as one decorator, in the order in which help shows them."""
    return lambda function: reduce(lambda made, add: add(made), reversed(decorators), function)
