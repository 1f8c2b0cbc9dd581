"""A command whose help also shows the settings of the method it is asked about."""

from __future__ import annotations

from typing import Any

import click

GIVEN = "intrinsic_cli.method"
TITLES = {"options": "Options (-O key=value)", "config": "Settings (--set key=value)"}


class MethodCommand(click.Command):
    """``iid decompose -m flow --help`` shows flow's own options. ``knobs`` is the Variant field
    that holds them."""

    def __init__(self, *args: Any, knobs: str = "options", **more: Any) -> None:
        super().__init__(*args, **more)
        self.knobs = knobs

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note the method first: ``--help`` is answered before other options are read."""
        ctx.meta[GIVEN] = self._methods(ctx, args)
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The method's settings, if a method was named."""
        super().format_epilog(ctx, formatter)
        for name in ctx.meta.get(GIVEN, []):
            self._format_settings(name, formatter)

    def _methods(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What stands behind ``-m``, once or more."""
        try:
            options, _, _ = self.make_parser(ctx).parse_args(list(args))
        except click.UsageError:
            return []
        given = options.get("method") or []
        return [given] if isinstance(given, str) else list(given)

    def _format_settings(self, name: str, formatter: click.HelpFormatter) -> None:
        from intrinsic_cli.cli.descriptions import as_typed
        from intrinsic_cli.registry import load_registry
        from intrinsic_cli.settings import describe

        spec, variant = load_registry().resolve(name)
        kinds = {"options": variant.options, "config": variant.config}
        rows = []
        for knob in describe(kinds[self.knobs]):
            wanted = "|".join(map(str, knob.choices)) or knob.type
            told = f"{knob.help}  [default: {as_typed(knob.default)}]"
            rows.append((f"{knob.name}={wanted}", told))
        if rows:
            with formatter.section(f"{TITLES[self.knobs]} of {spec.title(variant)}"):
                formatter.write_dl(rows)
