"""Paths that the command line is given and that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intrinsic_cli.cli import iid, paths

LONG = "a" * 300
WANTED = {
    "encodr.pth": ("there is nothing at encodr.pth: no such file", "did you mean encoder.pth?"),
    "gone/a.pth": ("there is nothing at gone/a.pth: no such file", "there is no folder gone"),
    "encoder.pth/a": ("encoder.pth/a: not a directory", "encoder.pth is a file, not a folder"),
    "leads": ("there is nothing at leads: a link that leads nowhere", "it points to gone.pth"),
    "circle": ("circle: too many levels of symbolic links", "its links lead in a circle"),
    LONG: (f"{LONG}: file name too long", "give it a shorter name"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder.pth").touch()
    (tmp_path / "leads").symlink_to("gone.pth")
    (tmp_path / "circle").symlink_to("circle")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(iid, words)


def told(done: Result, code: int = 4) -> tuple[str, str]:
    """The sentence and its hint; the exit code of weights and data, or another ``code``."""
    assert (done.exit_code, done.stdout) == (code, "")
    sentence, hint = done.stderr.splitlines()
    return sentence.removeprefix("iid: "), hint.removeprefix("hint: ")


@pytest.mark.parametrize("words", [("weights", "import"), ("weights", "install")], ids=" ".join)
@pytest.mark.parametrize("path", WANTED)
def test_what_was_meant_is_told(path: str, words: tuple[str, ...]) -> None:
    assert told(run(*words, path)) == WANTED[path]


@pytest.mark.parametrize(
    "words",
    [("train", "--config"), ("decompose", "a.jpg", "--config"), ("evaluate", "--config")],
    ids=" ".join,
)
def test_settings_that_are_not_there_are_wrong_usage(words: tuple[str, ...]) -> None:
    assert told(run(*words, "encodr.pth"), code=2) == WANTED["encodr.pth"]


def test_a_run_that_is_not_there_is_lacking_data() -> None:
    assert told(run("train", "--resume", "encodr.pth")) == WANTED["encodr.pth"]


def test_there_is_always_a_hint(folder: Path) -> None:
    _, hint = told(run("weights", "import", str(folder / "other.zip")))
    assert hint == "see `iid weights import --help`"


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths.os, "access", lambda place, _: place != Path("encoder.pth"))
    sentence, hint = told(run("weights", "import", "encoder.pth"))
    assert sentence == "encoder.pth: permission denied"
    assert hint == "it is yours: chmod u+r encoder.pth"


@pytest.mark.parametrize(
    "words",
    [
        ("decompose", "a.jpg", "-m", "gray", "--weights", "gone/a"),
        ("train", "-m", "gray", "--init", "gone/a"),
        ("weights", "verify", "gone/a"),
        ("evaluate", "--predictions", "gone/a"),
    ],
    ids=" ".join,
)
def test_weights_and_predictions_that_are_not_there(words: tuple[str, ...], folder: Path) -> None:
    (folder / "a.jpg").touch()
    done = run(*words)
    assert done.exit_code == 4
    assert "gone/a" in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1] == "hint: there is no folder gone"


def test_weights_called_like_a_file_that_is_there(folder: Path) -> None:
    (folder / "mine.safetensors").touch()
    (folder / "a.jpg").touch()
    done = run("decompose", "a.jpg", "-m", "gray", "--weights", "mien.safetensors")
    assert done.exit_code == 4
    assert "did you mean mine.safetensors?" in done.stderr
