"""Every command and every option explains itself; the completion files are up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from intrinsic_cli.cli import COMMANDS, iid
from intrinsic_cli.registry import load_registry
from intrinsic_cli.settings import describe

COMPLETIONS = Path(__file__).parents[2] / "completions"


def walk(
    command: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below ``command`` with the words that reach it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, (*words, name))


ALL = dict(walk(iid))


@pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words) or "iid")
def test_help_is_complete(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(iid, [*words, "--help"])
    assert done.exit_code == 0
    assert ALL[words].help
    for param in ALL[words].params:
        if isinstance(param, click.Option):
            assert param.help, f"{param.opts} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_the_command_says(name: str) -> None:
    assert iid.get_command(click.Context(iid), name) is not None
    assert COMMANDS[name][1].endswith(".")


@pytest.mark.parametrize(
    "words",
    [words for words, command in ALL.items() if command.name in ("decompose", "train", "evaluate")],
)
def test_the_method_has_three_names(words: tuple[str, ...]) -> None:
    option = next(param for param in ALL[words].params if param.name == "method")
    assert option.opts == ["-m", "--method", "--plugin"]


VARIANTS = {
    spec.title(variant): variant
    for spec in load_registry().methods.values()
    for variant in spec.variants
}


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_help_shows_the_settings_of_the_variant(name: str) -> None:
    variant = VARIANTS[name]
    for command, kind in (("decompose", variant.options), ("train", variant.config)):
        told = CliRunner().invoke(iid, [command, "--plugin", name, "--help"]).stdout
        for knob in describe(kind):
            assert f"{knob.name}=" in told
            assert knob.help
        assert not re.search(r"default:\s+(None|True|False)\]", told), "defaults as they are typed"


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_settings_are_the_multiples_that_their_help_says(name: str) -> None:
    """What a network cannot have is refused, not found out amid a step."""
    variant = VARIANTS[name]
    for knob in (*fields(variant.options), *fields(variant.config)):
        told = re.search(r"\ba multiple of (\d+)", knob.metadata["help"])
        if told:
            assert knob.metadata["multiple"] == int(told[1]), knob.name
            assert knob.metadata["low"] is not None, knob.name


def test_help_comes_in_either_order() -> None:
    assert "floor=" in CliRunner().invoke(iid, ["decompose", "--help", "-m", "gray"]).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_files_are_what_the_command_prints(shell: str) -> None:
    made = CliRunner().invoke(iid, ["completions", shell])
    assert made.exit_code == 0
    assert made.stdout == (COMPLETIONS / f"iid.{shell}").read_text(encoding="utf-8")
