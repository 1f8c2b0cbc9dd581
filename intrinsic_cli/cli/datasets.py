"""``iid datasets``: what can be read, whether it is whole, and how to make it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from intrinsic_cli.cli import console, options, tab

if TYPE_CHECKING:
    from intrinsic_cli.runs.datasets import CheckReport

FOLDER = click.Path(file_okay=False, path_type=Path)
COLUMNS = ("name", "what", "path", "train", "measure")
#: What is said of a dataset, in this order.
DETAILS = ("layout", "least", "licence", "page", "protocols", "offers", "prepare", "use")


class Datasets(click.Group):
    """Commands; any other word is the name of a dataset to describe."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with ``show`` put before the name of a dataset."""
        word = args[0]
        if word not in self.commands and not word.startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options, and the names of the datasets."""
        names = tab.dataset_names(ctx, self.params[0], incomplete)
        return [*super().shell_complete(ctx, incomplete), *names]


@click.group(cls=Datasets, invoke_without_command=True, subcommand_metavar="[NAME|COMMAND]")
@options.as_json
@options.debug
@click.pass_context
def datasets(context: click.Context, as_json: bool) -> None:
    """List the datasets that --data can name, or describe NAME: layout, licence, protocols. Any
    folder with photo/ and albedo/ or shading/ is one too."""
    if context.invoked_subcommand:
        return
    from intrinsic_cli.cli import descriptions
    from intrinsic_cli.cli.console import table
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.registry import load_registry

    rows = descriptions.datasets(load_registry())
    if as_json:
        dump({"datasets": rows})
        return
    table(COLUMNS, [_short(row) for row in rows])


@datasets.command(short_help="Describe a dataset.")
@click.argument("name", shell_complete=tab.dataset_names)
@options.as_json
@options.debug
def show(name: str, as_json: bool) -> None:
    """Describe the dataset NAME (the word show may be left out)."""
    from intrinsic_cli.api import UsageError
    from intrinsic_cli.cli import descriptions
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.registry import load_registry

    registry = load_registry()
    found = [row for row in descriptions.datasets(registry) if row["name"] == name]
    if not found:
        hint = f"datasets: {', '.join(registry.datasets)}; commands: check, prepare, show"
        raise UsageError(f"no dataset called {name!r}", hint)
    if as_json:
        dump({"datasets": found})
        return
    for line in _page(found[0]):
        console.line(line)


@datasets.command(short_help="Say what is missing, broken or of another size.")
@click.argument("data", metavar="NAME[:PATH]|FOLDER", shell_complete=tab.datasets)
@click.option(
    "--all", "every", is_flag=True, help="Read every case of a large dataset; name every problem."
)
@options.as_json
@options.debug
def check(data: str, every: bool, as_json: bool) -> None:
    """Say whether a dataset is whole, or which files are missing, broken or of the wrong size. Of
    large datasets, 200 cases a split are read. With --json, problems is [] where it is whole."""
    from intrinsic_cli.api import DataError
    from intrinsic_cli.cli.console import progress
    from intrinsic_cli.cli.output import dump, plain
    from intrinsic_cli.runs.datasets import check_dataset

    try:
        with progress() as listener:
            report = check_dataset(data, every=every, progress=listener)
    except DataError as error:
        if as_json:
            dump({"data": data, "problems": getattr(error, "problems", (error.message,))})
        raise
    if as_json:
        dump({**plain(report), "problems": ()})
        return
    console.line(_line(report))
    for note in report.notes:
        console.note(f"note: {note}")


@datasets.command(short_help="Turn original data into what a reader opens.")
@click.argument("name", shell_complete=tab.dataset_names)
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
    heads            where eyes, nose and mouth are: faces.json (OUT may be SRC)
    faces            the faces found in photos, cut out upright
    faces-light      rendered heads (those of the dataset heads) under lamps the names tell
    """
    from intrinsic_cli.cli.console import progress
    from intrinsic_cli.runs.datasets import prepare_dataset

    with progress() as listener:
        made = prepare_dataset(name, source, out, listener)
    console.line(f"{out}: {made} made")


def _short(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    """A dataset in a line of the table."""
    path = "needed" if row["needs_path"] else "optional"
    return row["name"], row["summary"], path, _yes(row["trains"]), _yes(bool(row["protocols"]))


def _yes(holds: bool) -> str:
    return "yes" if holds else "-"


def _page(row: Mapping[str, Any]) -> list[str]:
    """A dataset in lines: its name and what it is, then a line a fact."""
    name = row["name"]
    told = dict(row)
    told["use"] = f"--data {name}:PATH" if row["needs_path"] else f"--data {name}[:PATH]"
    told["prepare"] = f"iid datasets prepare {name} SRC OUT" if row["prepare"] else ""
    lines = [f"{name}: {row['summary']}"]
    for detail in DETAILS:
        value = told[detail]
        text = value if isinstance(value, str) else ", ".join(value)
        if text:
            lines.append(f"  {detail:<10} {text}")
    return lines


def _line(report: CheckReport) -> str:
    """What a check found, in a line."""
    parts = [f"{report.data}: ok"]
    if report.cases:
        parts.append(f"cases: {_counted(report.cases)}")
        if report.read < sum(report.cases.values()):
            parts.append(f"read: {report.read}")
        parts.append(f"protocol: {report.protocol}")
    parts += [f"{layer}: {_counted(splits)}" for layer, splits in report.unpaired.items()]
    parts.append(f"offers: {', '.join(report.offers)}")
    return "  ".join(parts)


def _counted(splits: Mapping[Any, int]) -> str:
    return ", ".join(f"{split} {count}" for split, count in splits.items())
