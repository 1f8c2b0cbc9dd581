"""Folders are asked before hours of work; errors name the files that users know."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from typing import Any

import pytest

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files.atomic import write_text
from intrinsic_cli.kit.files.writable import check_writable


def test_a_folder_that_is_to_be_made(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b", "elsewhere")
    assert not list(tmp_path.iterdir())


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        with pytest.raises(UsageError, match="a is not a folder") as caught:
            check_writable(path, "elsewhere")
        assert caught.value.hint == "elsewhere"


def refuse(*_: Any, **more: Any) -> Any:
    raise OSError(errno.EROFS, "Read-only file system", f"{more['dir']}/.iid-x")


def test_a_folder_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(UsageError, match=f"cannot write to {tmp_path}: read-only file system"):
        check_writable(tmp_path / "out", "elsewhere")


def test_the_file_is_named_and_not_its_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_text(tmp_path / "a.json", "{}")
    assert caught.value.filename == str(tmp_path / "a.json")
