"""What is told of a path that the system refuses."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from intrinsic_cli.api import DataError, IidError
from intrinsic_cli.kit.files import os_errors
from intrinsic_cli.kit.files.os_errors import advice, hint_of, missing
from intrinsic_cli.kit.files.read_bytes import read_bytes


def refused(path: Path, number: int = errno.EACCES) -> str:
    return advice(OSError(number, os.strerror(number), str(path)))


def test_a_name_like_it_is_shown(tmp_path: Path) -> None:
    (tmp_path / "photo.jpeg").touch()
    assert missing(tmp_path / "photo.jpg") == f"did you mean {tmp_path / 'photo.jpeg'}?"
    assert missing(tmp_path / "other.jpg") == ""


def test_the_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.jpg"
    assert missing(path) == f"there is no folder {tmp_path / 'a'}"


def test_where_a_short_path_begins_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert missing(Path("a.jpg")) == f"it is looked for in {tmp_path}"


def test_where_a_link_leads_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/mnt/gone.jpg")
    assert missing(tmp_path / "a.jpg") == "it points to /mnt/gone.jpg"


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_a_file_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    monkeypatch.setattr(os, "access", lambda place, flag: place != path)
    assert refused(path) == f"it is yours: chmod u+r {path}"


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_whose_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    owner = path.owner()
    monkeypatch.setattr(os, "access", lambda place, flag: place != path)
    monkeypatch.setattr(os, "getuid", lambda: -1)
    assert refused(path) == f"you may not read {path}, which belongs to {owner}"
    assert refused(path, errno.EPERM) == refused(path)


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_the_folder_that_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, flag: place != tmp_path)
    told = refused(tmp_path / "b" / "a.jpg")
    assert told == f"you may not look into {tmp_path}, which belongs to {tmp_path.owner()}"


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_a_folder_in_which_nothing_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: -1)
    told = refused(tmp_path / "new.jpg")
    assert told == f"you may not write to {tmp_path}, which belongs to {tmp_path.owner()}"


@pytest.mark.parametrize("number", [errno.ELOOP, errno.ENAMETOOLONG, errno.ENOSPC, errno.EROFS])
def test_errors_that_say_enough(number: int, tmp_path: Path) -> None:
    assert refused(tmp_path, number)


def test_nothing_is_said_of_what_nobody_knows(tmp_path: Path) -> None:
    assert refused(tmp_path, errno.EPIPE) == ""
    assert advice(OSError(errno.EACCES, "Permission denied")) == ""


def test_the_hint_follows_from_the_cause(tmp_path: Path) -> None:
    error = IidError("cannot read it")
    error.__cause__ = OSError(errno.ENOENT, "no", str(tmp_path / "a" / "b"))
    assert hint_of(error) == f"there is no folder {tmp_path / 'a'}"
    assert hint_of(IidError("cannot", "do that")) == "do that"
    assert hint_of(IidError("cannot")) == ""


@pytest.mark.skipif(os.name != "posix", reason="owners")
def test_a_photo_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may be run by root, who may read everything."""
    path = tmp_path / "a.jpg"
    path.touch()

    def refuse(place: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(place))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os_errors.os, "access", lambda place, flag: place != path)
    with pytest.raises(DataError, match="permission denied") as caught:
        read_bytes(path)
    assert caught.value.hint == f"it is yours: chmod u+r {path}"
