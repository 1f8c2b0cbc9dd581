"""What the README shows works: its commands are parsed, its Python is run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from intrinsic_cli.cli import iid
from intrinsic_cli.registry import load_registry

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "intrinsic_cli"
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> Iterator[str]:
    """Every ``iid …`` in the blocks of shell, and in the text, without what a pipe leads to."""
    for line in "\n".join(blocks("bash")).splitlines():
        words = line.partition("  #")[0].strip().removeprefix(".venv/bin/")
        if words.startswith("iid "):
            yield re.split(r" [|&]+", words)[0].replace("; done", "")
    for words in re.findall(r"`(iid [^`]*)`", README):
        if "NAME" not in words:
            yield words


def parse(words: list[str]) -> dict[str, Any]:
    """The options a command line gives, or a click.UsageError."""
    command: click.Command = iid
    context = click.Context(iid, info_name="iid")
    while isinstance(command, click.Group) and words and words[0] != "--help":
        name, *words = words
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"no command {name!r}")
        context, command = click.Context(found, context, info_name=name), found
    options, _, _ = command.make_parser(context).parse_args(words)
    return dict(options)


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_commands_are_understood(line: str) -> None:
    given = parse(shlex.split(line)[1:])
    named = given.get("method") or []
    known = load_registry()
    for name in [named] if isinstance(named, str) else named:
        if name != "warm":  # the plugin that the README writes
            known.resolve(name)
    data = str(given.get("data", "")).partition(":")[0]
    assert "/" in data or not data or data in known.datasets or data.startswith("$")


def test_commands_that_are_not_understood_are_found() -> None:
    for line in ("iid decompose --frmat png x.jpg", "iid weigths list", "iid weights lsit"):
        with pytest.raises(click.UsageError):
            parse(shlex.split(line)[1:])


def test_python_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = [block for block in blocks("python") if "intrinsic_cli.open" in block]
    shutil.copyfile(ROOT / "intrinsic_cli" / "samples" / "coffee.png", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {}
    exec(code, made)
    assert made["result"].layers["albedo"].shape == made["result"].photo.shape
    assert len([line for line in code.splitlines() if line]) == 3


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    for path in re.findall(r"`((?:intrinsic_cli|plugins|tests)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path


def test_new_names_of_the_changelog_exist() -> None:
    for line in CHANGELOG.splitlines():
        now = line.split("|")[2] if line.startswith("| `") else ""
        for name in re.findall(r"`((?:kit|runs|api|registry)[.\w]*)(?:\.\*)?`", now):
            module, _, attribute = name.rpartition(".")
            places = [HOUSE / Path(*name.split(".")), HOUSE / Path(*module.split("."))]
            package, file = places[0], places[0].with_suffix(".py")
            inside = places[1].with_suffix(".py")
            found = package.is_dir() or file.exists()
            assert found or attribute in inside.read_text(encoding="utf-8"), name


def test_modules_it_names_exist() -> None:
    from importlib import import_module

    for name in re.findall(r"`(intrinsic_cli(?:\.\w+)+)`", README):
        module, _, attribute = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), attribute), name
