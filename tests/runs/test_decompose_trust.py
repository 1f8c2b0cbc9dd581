"""Disks that are full and folders that vanish end the run in one sentence, and it can be gone on
with."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from decomposing import everything, go, photo, statuses

from intrinsic_cli.api import IidError
from intrinsic_cli.runs.claims import Claims
from intrinsic_cli.runs.decompose import manifest, write

MANY = 24  # more than any machine here has under way at a time


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return some(5, tmp_path)


def some(count: int, tmp_path: Path) -> Path:
    for number in range(count):
        photo(tmp_path / f"photos/{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def after(count: int, real: Callable[..., Any], then: Callable[..., Any]) -> Callable[..., Any]:
    """``real`` for ``count`` calls, then ``then``."""
    calls: list[int] = []

    def step(*given: Any, **more: Any) -> Any:
        calls.append(1)
        return (real if len(calls) <= count else then)(*given, **more)

    return step


PLACES = {
    "claims": (Claims, "_make"),
    "layers": (write, "write_outputs"),
    "sidecars": (write, "write_text"),
    "manifest": (manifest, "append_line"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_ends_the_run(
    place: str, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = some(MANY, tmp_path)
    owner, name = PLACES[place]
    monkeypatch.setattr(owner, name, after(2, getattr(owner, name), full))
    with pytest.raises(IidError) as caught:
        go(photos, out=out)
    # Where two are written at a time the later one may come first.
    done = rf"\([0-2] of {MANY} photos are done\)"
    assert re.search(rf"cannot write to {out}: No space left on device {done}", str(caught.value))
    assert "run the same command again" in caught.value.hint
    assert not list(out.glob(".iid-*"))
    monkeypatch.undo()
    report = go(photos, out=out)
    assert 0 < report.count("done") <= MANY - 2
    assert report.count("failed") == 0
    assert len(everything(out)) == 3 * MANY


def test_a_full_disk_in_the_middle_of_a_line_is_noticed(
    photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def half(handle: int, data: bytes) -> int:
        return real(handle, data[: len(data) // 2])

    class Disk:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        write = staticmethod(after(2, real, after(1, half, full)))

    monkeypatch.setattr(manifest, "os", Disk())
    with pytest.raises(IidError, match="2 of 5 photos are done"):
        go(photos, out=out)
    monkeypatch.undo()
    assert go(photos, out=out).count("failed") == 0
    assert statuses(go(photos, out=out)) == {"done": 0, "skipped": 5, "failed": 0}


def test_a_vanished_output_folder_ends_the_run(
    photos: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a share is unmounted: what is written there later would be hidden by the share."""

    def vanish(*given: Any) -> Any:
        out.rename(tmp_path / "away")
        return load(*given)

    from intrinsic_cli.runs.decompose import large as room

    load = room.load
    monkeypatch.setattr(room, "load", after(2, load, vanish))
    with pytest.raises(IidError, match=r"is gone \([0-2] of 5 photos are done\)") as caught:
        go(photos, out=out)
    assert "bring it back" in caught.value.hint
    beside = {name.split(".")[0] for name in everything(out)} if out.exists() else set()
    assert len(beside) <= 1, "no more than the photo that was being written"
    shutil.rmtree(out, ignore_errors=True)
    (tmp_path / "away").rename(out)
    for left in out.glob(".iid-*"):  # what is removed when this process has ended
        left.unlink()
    monkeypatch.undo()
    report = go(photos, out=out)
    assert report.count("failed") == 0
    assert not list(out.glob(".iid-*"))
    assert len(everything(out)) == 15


def test_a_folder_that_was_replaced_is_not_written_to(
    photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(*given: Any) -> Any:
        # Nobody can look and write at one moment: what is being written must be finished.
        until = time.monotonic() + 10
        while len(list(out.glob("*.iid.json"))) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        shutil.rmtree(out)
        (out.parent / "keeps-the-number").mkdir()
        out.mkdir()
        return load(*given)

    from intrinsic_cli.runs.decompose import large as room

    load = room.load
    monkeypatch.setattr(room, "load", after(2, load, replace))
    with pytest.raises(IidError, match="is gone"):
        go(photos, out=out)
    assert list(out.iterdir()) == []


def test_one_name_that_cannot_be_written_costs_one_photo(
    photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(write, "write_outputs", after(2, write.write_outputs, refuse))
    report = go(photos, out=out)
    assert statuses(report) == {"done": 2, "skipped": 0, "failed": 3}
    assert "its layers cannot be written: Permission denied" in report.inputs[-1].error
