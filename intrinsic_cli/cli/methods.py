"""``iid methods``: what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from intrinsic_cli.cli import console, options, tab
from intrinsic_cli.cli.descriptions import as_typed

COLUMNS = ("name", "layers", "variants", "weights", "summary")
#: What is said of a method, and the word before it.
FACTS = {
    "paper": "paper",
    "origin": "from",
    "layers": "layers",
    "stages": "stages",
    "needs": "trains on",
}
KNOBS = {
    "options": "Options of decompose (-O key=value)",
    "settings": "Settings of train (--set key=value)",
}


@click.command()
@click.argument("name", required=False, shell_complete=tab.methods, metavar="[NAME[:VARIANT]]")
@options.as_json
@options.debug
def methods(name: str | None, as_json: bool) -> None:
    """List the installed methods, or describe NAME: layers, variants, stages, options, settings,
    weights."""
    from intrinsic_cli.cli import descriptions
    from intrinsic_cli.cli.output import dump
    from intrinsic_cli.registry import load_registry

    registry = load_registry()
    if name:
        told = descriptions.method(registry, *registry.resolve(name))
        dump({"methods": [told]}) if as_json else _describe(told)
        return
    rows = descriptions.methods(registry)
    if as_json:
        dump({"methods": rows, "broken": registry.broken})
        return
    console.table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])
    for plugin, reason in registry.broken.items():
        console.note(f"broken plugin {plugin}: {reason}")


def _describe(told: Mapping[str, Any]) -> None:
    """A page about one method, for people."""
    console.line(f"{told['name']}: {told['summary']}")
    for key, title in FACTS.items():
        value = told[key]
        text = value if isinstance(value, str) else ", ".join(value)
        if text:
            console.line(f"{title:<9} {text}")
    _list("Variants", ("name", "layers", "summary"), told["variants"])
    for key, title in KNOBS.items():
        _list(title, ("name", "type", "default", "help"), told[key])
    if told["weights"]:
        console.line("")
        console.line("Weights")
        for file in told["weights"]:
            _describe_weights(file)
    elif told["stages"]:
        console.line("")
        console.line("no weights on this machine")


def _list(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        console.line("")
        console.line(title)
        console.table(columns, [[as_typed(row[column]) for column in columns] for row in rows])


def _describe_weights(file: Mapping[str, Any]) -> None:
    from intrinsic_cli.cli.training_record import summary

    size = _size(file["bytes"])
    console.line(f"{file['name']}  {size}  {file['place']}  sha256 {file['sha256']}")
    for what, how in summary(file["record"]):
        console.line(f"  {what:<8} {how}")


def _size(count: int) -> str:
    """Bytes for people."""
    if count < 2**20:
        return f"{count / 2**10:.1f} KiB"
    return f"{count / 2**20:.1f} MiB"
