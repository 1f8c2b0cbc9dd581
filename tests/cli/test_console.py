"""Progress for logs: rare lines on stderr, results alone on stdout."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from intrinsic_cli.cli import console, output
from intrinsic_cli.cli.options import AutoInt, Duration


def test_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 12.0, 13.0])
    monkeypatch.setattr("intrinsic_cli.cli.console.time.monotonic", lambda: next(clock))
    with console.progress() as listener:
        listener.start("photos", 3)
        listener.advance()
        listener.advance(facts={"loss": 0.123456, "at": "x"})
        listener.result("a.png")
        listener.finish()
    out, told = capsys.readouterr()
    assert out == "a.png\n"
    assert told.splitlines() == [
        "photos: 2/3 loss 0.1235  at x",
        "photos: 2/3 in 13.0 s loss 0.1235  at x",
    ]


def test_bars_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with console.progress() as listener:
        listener.start("photos", 3)
        listener.advance(facts={"loss": 0.5})
        listener.note("[halving] the batch")
        listener.result("a.png")
        listener.finish()
    assert "[halving] the batch" in screen.getvalue()
    assert capsys.readouterr().out == "a.png\n"


def test_tables_in_a_pipe_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    console.table(("name", "lmse"), [("flow", 0.02345), ("a longer name", ("x", "y"))])
    assert (
        capsys.readouterr().out
        == "name           lmse\nflow           0.0234\na longer name  x, y\n"
    )


def test_tables_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    console.table(("name", "lmse"), [("[flow]", 0.02345)])
    assert "[flow]" in capsys.readouterr().out


def test_json_of_plain_values() -> None:
    @dataclass
    class Report:
        folder: Path
        weights: Path | None
        stages: dict[str, Any]

    report = Report(Path("run"), None, {"main": {"needs": frozenset({"b", "a"})}})
    made = {"folder": "run", "weights": None, "stages": {"main": {"needs": ["a", "b"]}}}
    assert output.plain(report) == made


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-3m", "3d", ""])
def test_no_durations(text: Any) -> None:
    with pytest.raises(click.UsageError):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "number"), [("auto", None), ("AUTO", None), (" 4 ", 4), (None, None), (2, 2)]
)
def test_auto_or_a_number(text: Any, number: int | None) -> None:
    assert AutoInt().convert(text, None, None) == number


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", "²"])
def test_neither_auto_nor_a_number(text: str) -> None:
    with pytest.raises(click.UsageError, match="neither auto nor a whole number"):
        AutoInt().convert(text, None, None)
