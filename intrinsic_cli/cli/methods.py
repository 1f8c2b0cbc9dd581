"""``iid methods``: what is installed."""

from __future__ import annotations

from typing import Any

import click

from intrinsic_cli.cli import options, tab
from intrinsic_cli.cli.console import table


@click.command()
@click.argument("name", required=False, shell_complete=tab.methods)
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
        described = descriptions.method(registry, registry.resolve(name)[0])
        dump(described) if as_json else _describe(described)
        return
    listed = descriptions.methods(registry)
    if as_json:
        dump({"methods": listed, "broken": registry.broken})
        return
    columns = ("name", "layers", "variants", "weights", "summary")
    table(columns, [[row[column] for column in columns] for row in listed])
    for plugin, reason in registry.broken.items():
        click.echo(f"broken plugin {plugin}: {reason}", err=True)


def _describe(told: dict[str, Any]) -> None:
    click.echo(f"{told['name']}: {told['summary']}")
    for key in ("paper", "origin", "layers", "variants", "stages", "needs"):
        if told[key]:
            click.echo(
                f"{key:<9} {told[key] if isinstance(told[key], str) else ', '.join(told[key])}"
            )
        if key == "layers":
            for variant, layers in told["variant_layers"].items():
                click.echo(f"{'':<9} {', '.join(layers)} ({told['name']}:{variant})")
    for title, key in (
        ("Options of decompose (-O key=value)", "options"),
        ("Settings of train (--set key=value)", "settings"),
    ):
        if told[key]:
            click.echo(f"\n{title}")
            table(
                ("name", "type", "default", "help"),
                [[k["name"], k["type"], str(k["default"]), k["help"]] for k in told[key]],
            )
    click.echo(
        "\nWeights" if told["weights"] else "\nno weights on this machine" if told["stages"] else ""
    )
    for file in told["weights"]:
        click.echo(
            f"{file['name']}  {file['bytes'] / 2**20:.1f} MiB  {file['place']}  sha256 {file['sha256']}"
        )
        for key, value in file["record"].items():
            click.echo(f"  {key}: {value}")
