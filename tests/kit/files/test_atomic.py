"""Files that are whole or absent, also where the disk is full."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.atomic import replacing


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everywhere."""
    usage = SimpleNamespace(free=4096)
    monkeypatch.setattr("intrinsic_cli.kit.files.atomic.shutil.disk_usage", lambda _: usage)


def fail(path: Path, error: Exception) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_told_as_such_whoever_writes(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        fail(tmp_path / "last.pt", error)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "last.pt")
    assert not list(tmp_path.iterdir()), "nothing half-written is left"


@pytest.mark.usefixtures("full_disk")
def test_a_writer_that_takes_its_file_away(tmp_path: Path) -> None:
    """As OpenCV does, without a word."""
    path = tmp_path / "preview.png"
    with pytest.raises(OSError, match="No space left") as caught, replacing(path) as temporary:
        temporary.unlink()
    assert caught.value.filename == str(path)


@pytest.mark.usefixtures("full_disk")
def test_what_is_known_stays_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a meaning"):
        fail(tmp_path / "a.json", DataError("a meaning of its own"))


def test_other_errors_stay_where_there_is_room(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="odd"):
        fail(tmp_path / "last.pt", RuntimeError("odd"))
