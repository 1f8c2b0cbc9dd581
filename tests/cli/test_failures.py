"""Errors: one sentence, a hint, the right exit code, nothing on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from intrinsic_cli.api import DataError, IidError, UsageError
from intrinsic_cli.cli import iid
from intrinsic_cli.cli.failures import guarded


def run(*words: str) -> Result:
    return CliRunner().invoke(iid, words)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("trian",), 2, "did you mean 'train'"),
        (("decompose", "--frmat", "png", "x.jpg"), 2, "--format"),
        (("decompose", "--format", "bmp", "x.jpg"), 2, "png16"),
        (("decompose", "--device", "gpu", "x.jpg"), 2, "cuda:N"),
        (("decompose", "--batch-size", "0", "x.jpg"), 2, "neither auto nor"),
        (("decompose", "--seed", "9" * 30, "x.jpg"), 2, "from 0 to 2^63 - 1"),
        (("evaluate", "--seed", "-1"), 2, "from 0 to 2^63 - 1"),
        (("train", "-m", "gray", "--set", "seed=-1"), 2, "seed must be at least 0"),
        (("decompose", "-m", "grey", "x.jpg"), 2, "did you mean 'gray'"),
        (("decompose", "-m", "gray:big", "x.jpg"), 2, "no variant 'big'"),
        (("decompose", "-m", "broken", "x.jpg"), 2, "this plugin was made to fail"),
        (("decompose", "-m", "gray", "-O", "flor=1", "x.jpg"), 2, "did you mean 'floor'"),
        (("decompose", "-m", "gray", "--layers", "albdo", "x.jpg"), 2, "albedo"),
        (("decompose", "-m", "gray", "x.jpg"), 4, "no weights for gray"),
        (("decompose", "--from-list", "-", "-"), 2, "both"),
        (("train",), 2, "--plugin NAME"),
        (("train", "-m", "gray", "--for", "soon"), 2, "30m"),
        (("train", "-m", "gray", "--set", "stps=1"), 2, "did you mean 'steps'"),
        (("train", "-m", "gray", "--stage", "two"), 2, "no stage 'two'"),
        (("train", "-m", "gray", "--data", "mti"), 2, "did you mean 'mit'"),
        (("train", "-m", "gray", "--data", "mit:/nowhere"), 4, "/nowhere"),
        (("evaluate", "-m", "gray"), 4, "no weights for gray"),
        (("evaluate", "-m", "gray", "--csv", "x.jpg/a.csv"), 2, "x.jpg is not a folder"),
        (("evaluate", "-m", "retinex", "--save", "x.jpg/s"), 2, "x.jpg is not a folder"),
        (("methods", "gary"), 2, "did you mean 'gray'"),
        (("completions", "tcsh"), 2, "bash"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_cheap_mistakes(
    words: tuple[str, ...], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.jpg").write_bytes(b"")
    done = run(*words)
    assert told in done.stderr, done.output
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith("iid: ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.jpg"]


@pytest.mark.parametrize(
    "words",
    [
        ("decompose", "-dash.jpg"),
        ("decompose", "-m", "gray", "a.jpg", "-rx.jpg"),
        ("decompose", "-m.jpg"),
        ("decompose", "-o.jpg"),
        ("datasets", "check", "-dash.jpg"),
        ("weights", "import", "-dash.jpg"),
        ("evaluate", "-m", "gray", "--predictions", "a", "-dash.jpg"),
    ],
    ids=" ".join,
)
def test_a_file_whose_name_begins_with_a_dash(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    without = run(*words).stderr
    assert "./-" not in without
    (tmp_path / words[-1]).touch()
    done = run(*words)
    assert done.exit_code == 2
    assert f"write ./{words[-1]}" in done.stderr.splitlines()[-1]
    assert "there is a file" not in run(*words[:-1], "--", words[-1]).stderr


def fail(error: BaseException) -> int:
    def run() -> None:
        raise error

    return guarded(run)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IidError("failed"), 1),
        (UsageError("what?"), 2),
        (DataError("where?"), 4),
        (click.exceptions.Abort(), 130),
        (ValueError("odd"), 1),
        (click.UsageError("how?"), 2),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(error) == code
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith("iid: ")


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> None:
        raise ValueError("odd")

    guarded(run, ["--debug"])
    assert "Traceback" in capsys.readouterr().err
    guarded(run)
    assert "--debug" in capsys.readouterr().err


def test_paths_that_the_system_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """However they come: from a place that expects it, or from one that does not."""
    path = tmp_path / "gone" / "a"
    refused = FileNotFoundError(2, "No such file or directory", str(path))
    mended = DataError("the list cannot be read")
    mended.__cause__ = refused
    hint = f"hint: there is no folder {path.parent}"
    assert fail(refused) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [f"iid: {path}: no such file or directory", hint]
    assert fail(mended) == 4
    told = capsys.readouterr().err.splitlines()
    assert told == ["iid: the list cannot be read", hint]


def test_debug_is_understood_by_every_command() -> None:
    assert "Traceback" in run("methods", "gary", "--debug").stderr
    assert "Traceback" not in run("methods", "gary").stderr


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("intrinsic_cli.registry.load_registry", press)
    assert run("methods").exit_code == 130


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "intrinsic_cli", "methods", "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""


def test_no_colour_in_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "intrinsic_cli", "methods"], capture_output=True, check=True
    )
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"broken plugin broken: RuntimeError" in done.stderr


def test_listings_as_json() -> None:
    told = json.loads(run("methods", "--json").stdout)
    assert "gray" in [method["name"] for method in told["methods"]]
    assert "broken" in told["broken"]
    assert json.loads(run("datasets", "--json").stdout)["datasets"]
    assert "weights" in json.loads(run("weights", "list", "--json").stdout)


@pytest.mark.parametrize("words", [(), ("plugin",), ("weights",)])
def test_nothing_asked_shows_the_help(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.output.startswith("Usage: iid")


def test_version() -> None:
    assert run("--version").stdout.startswith("iid ")
