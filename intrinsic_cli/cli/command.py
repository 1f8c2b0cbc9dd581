"""A command whose help also shows the settings of the method it is asked about."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click

GIVEN = "intrinsic_cli.method"


class MethodCommand(click.Command):
    """``iid decompose -m flow --help`` shows flow's own options. ``knobs`` is the Variant field
    that holds them."""

    def __init__(self, *args: Any, knobs: str = "options", **more: Any) -> None:
        super().__init__(*args, **more)
        self.knobs = knobs

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note the method first: ``--help`` is answered before other options are read."""
        with suppress(click.UsageError):
            options, _, _ = self.make_parser(ctx).parse_args(list(args))
            ctx.meta[GIVEN] = options.get("method")
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The method's settings, if a method was named."""
        super().format_epilog(ctx, formatter)
        given = ctx.meta.get(GIVEN)
        for name in [given] if isinstance(given, str) else given or []:
            self._format_settings(name, formatter)

    def _format_settings(self, name: str, formatter: click.HelpFormatter) -> None:
        from intrinsic_cli.registry import load_registry
        from intrinsic_cli.settings import describe

        spec, variant = load_registry().resolve(name)
        knobs = describe(getattr(variant, self.knobs))
        title = (
            "Options (-O key=value)" if self.knobs == "options" else "Settings (--set key=value)"
        )
        if knobs:
            with formatter.section(f"{title} of {spec.title(variant)}"):
                formatter.write_dl(
                    [
                        (f"{knob.name}={_wanted(knob)}", f"{knob.help}  [default: {knob.default}]")
                        for knob in knobs
                    ]
                )


def _wanted(knob: Any) -> str:
    return "|".join(map(str, knob.choices)) or knob.type
