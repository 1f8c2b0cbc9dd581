"""The command group: lazy commands, and every error turned into one sentence and an exit code."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from intrinsic_cli import __version__
from intrinsic_cli.cli.empty_words import refuse_empty
from intrinsic_cli.cli.failures import guarded


class LazyGroup(click.Group):
    """Knows the names and one-line helps of its commands; imports a command when it is called."""

    def __init__(self, name: str, commands: Mapping[str, tuple[str, str]], help: str) -> None:
        super().__init__(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.table = commands
        self.params.append(_version_option())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use, not of the alphabet."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command: function ``X`` of module ``intrinsic_cli.cli.X``."""
        if cmd_name not in self.table:
            return None
        module, _ = self.table[cmd_name]
        command: click.Command = getattr(import_module(f"intrinsic_cli.cli.{module}"), module)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion that needs no import."""
        word = args[0] if args else ""
        is_name = word and not word.startswith("-")
        if is_name and word not in self.table and not ctx.resilient_parsing:
            near = difflib.get_close_matches(word, self.table, n=1)
            advice = f"; did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"no command called {word!r}{advice}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, from the one-line helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Command names, then the group's own options; no command is imported for a Tab press."""
        items = [
            CompletionItem(name, help=help)
            for name, (_, help) in self.table.items()
            if name.startswith(incomplete)
        ]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit. A command's result, if it is a number, is the exit code."""
        words = list(sys.argv[1:] if args is None else args)
        parent = super().main

        def run() -> Any:
            refuse_empty(words)
            name = prog_name or "iid"
            return parent(words, name, complete_var, standalone_mode=False, **extra)

        if not standalone_mode:
            return run()
        sys.exit(guarded(run, words))


def _version_option() -> click.Option:
    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(f"iid {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Show the version and exit.",
    )
