"""Nothing is printed past ``cli.console``, which spells out what a terminal would obey."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CLI = Path(__file__).parents[2] / "intrinsic_cli" / "cli"
#: Those that print what is no file's name: JSON, CSV, scripts, our own words, escaped messages.
MAY_PRINT = {"console", "output", "completions", "failures", "group"}
SOURCES = sorted(path for path in CLI.glob("*.py") if path.stem not in MAY_PRINT)


def prints(source: str) -> Iterator[int]:
    """The lines on which something is printed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "print",
            "click.echo",
            "click.secho",
            "sys.stdout.write",
            "sys.stderr.write",
        ):
            yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_commands_print_through_the_console(path: Path) -> None:
    assert not list(prints(path.read_text(encoding="utf-8")))


def test_printing_is_seen() -> None:
    assert list(prints("import click\n\nclick.echo('a')\nprint('b')\nconsole.line('c')")) == [3, 4]
