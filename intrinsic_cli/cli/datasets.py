"""``iid datasets``: what can be read."""

from __future__ import annotations

import click

from intrinsic_cli.cli import options
from intrinsic_cli.cli.console import table


@click.command()
@options.as_json
@options.debug
def datasets(as_json: bool) -> None:
    """List the datasets that --data can name. Any folder with photo/ and albedo/ or shading/ is one too."""
    from intrinsic_cli.cli import facts
    from intrinsic_cli.cli.listing import dump
    from intrinsic_cli.registry import load_registry

    listed = facts.datasets(load_registry())
    if as_json:
        dump({"datasets": listed})
        return
    columns = ("name", "offers", "summary", "layout", "licence")
    table(columns, [[row[column] for column in columns] for row in listed])
