"""Results of ``iid evaluate`` that are there already: kept until all is scored, then replaced."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intrinsic_cli.cli import iid
from intrinsic_cli.cli import output as printed

KEPT = ("a.json", "a.csv", "cases/mine.txt", "cases/retinex.worst.png")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    for name in KEPT:
        (tmp_path / name).write_text("old")
    return tmp_path


def run(*words: str) -> Result:
    results = ("--json", "a.json", "--csv", "a.csv", "--save", "cases")
    given = ("evaluate", "-m", "retinex", "--limit", "1", *results, *words)
    return CliRunner().invoke(iid, given)


def old(folder: Path) -> list[str]:
    return [name for name in KEPT if (folder / name).read_bytes() == b"old"]


def test_they_are_replaced_and_other_files_stay(folder: Path) -> None:
    assert run().exit_code == 0
    assert old(folder) == ["cases/mine.txt"]
    assert json.loads((folder / "a.json").read_text())["rows"]
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_they_stay_where_it_fails(folder: Path) -> None:
    assert run("--data", "folder:/no/such").exit_code == 4
    assert old(folder) == list(KEPT)


def test_only_one_of_them_is_printed(folder: Path) -> None:
    result = run("--json", "-", "--csv", "-")
    assert result.exit_code == 2
    assert result.stderr.startswith("iid: --json and --csv cannot both be printed")
    assert result.stdout == ""
    assert old(folder) == list(KEPT)


@pytest.mark.parametrize("file", ["a.json", "./a.json", "cases/../a.json", "link"])
def test_they_do_not_share_a_file(file: str, folder: Path) -> None:
    (folder / "link").symlink_to("a.json")
    result = run("--csv", file)
    assert result.exit_code == 2
    assert result.stderr.startswith("iid: --json and --csv cannot both be written to ")
    assert "hint: give each a file of its own" in result.stderr
    assert old(folder) == list(KEPT)


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        printed.put(folder / "a.json", "new")
    assert old(folder) == list(KEPT)


def test_it_is_told() -> None:
    told = " ".join(CliRunner().invoke(iid, ("evaluate", "--help")).stdout.split())
    assert told.count("in place of FILE when all is scored") == 2
    assert "other files stay" in told
