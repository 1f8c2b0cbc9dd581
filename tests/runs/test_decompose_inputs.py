"""Which photos are found, and what is said of the others."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from decomposing import go, photo, statuses, tell

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import formats


def test_an_empty_folder_gets_no_advice_that_cannot_help(tmp_path: Path) -> None:
    (tmp_path / "bare/sub").mkdir(parents=True)
    with pytest.raises(DataError, match="there are no photos in") as caught:
        go(tmp_path / "bare", out=tmp_path / "out")
    assert "-r" not in caught.value.hint


def test_photos_in_subfolders_are_counted(tmp_path: Path) -> None:
    for name in ("in/sub/a.png", "in/sub/deeper/b.png", "in/.hidden/c.png"):
        photo(tmp_path / name)
    with pytest.raises(DataError, match=r"no photos in .* itself") as caught:
        go(tmp_path / "in", out=tmp_path / "out")
    assert caught.value.hint == "-r finds 2 photos below it"
    photo(tmp_path / "in/d.png")
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out")
    assert report.count("done") == 1
    assert "2 photos in subfolders left out; -r looks into them" in notes
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out")
    assert "2 photos" in notes, "what iid made is not counted"
    report, notes = tell(tmp_path / "in", out=tmp_path / "in/out", recursive=True)
    assert "left out" not in notes


@pytest.mark.parametrize(
    ("name", "word"),
    [("a.CR2", "RAW"), ("a.dng", "RAW"), ("a.HEIC", "HEIC"), ("a.mp4", "video")],
)
def test_formats_that_cannot_be_read_are_named(
    name: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_is_installed", lambda module: False)
    for module in ("rawpy", "pillow_heif", "imageio_ffmpeg"):
        monkeypatch.setitem(sys.modules, module, None)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(b"whatever")
    with pytest.raises(DataError, match=f"no photos in .*{word}") as caught:
        go(folder, out=tmp_path / "out")
    assert caught.value.hint
    report = go(folder / name, out=tmp_path / "out")
    assert word in report.inputs[0].error
    assert caught.value.hint in report.inputs[0].error
    photo(folder / "b.png")
    report, notes = tell(folder, out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 0}
    assert notes.startswith(f"left out: a {word}")
    assert "times" not in notes
    (folder / f"again{Path(name).suffix}").write_bytes(b"whatever")
    assert "(2 times): " in tell(folder, out=tmp_path / "out")[1]


@pytest.mark.parametrize("name", ["a.CR2", "a.heic"])
def test_with_its_extra_a_format_is_one_of_the_photos(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_is_installed", lambda module: True)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(b"whatever")
    report = go(folder, out=tmp_path / "out")
    assert statuses(report) == {"done": 0, "skipped": 0, "failed": 1}


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_loop_of_links_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    photo(folder / "z.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    report = go(folder, out=tmp_path / "out", recursive=True)
    assert [item.status for item in report.inputs] == ["failed", "failed", "done"]
    where = f"it points to {tmp_path / 'nowhere'}"
    assert report.inputs[0].error == f"a link that leads nowhere ({where})"
    with pytest.raises(DataError, match=r"nothing at .*gone\.png: a link that leads nowhere"):
        go(folder / "gone.png", out=tmp_path / "alone")
    with pytest.raises(DataError, match=r"nothing at .*never\.png: no such file"):
        go(folder / "never.png", out=tmp_path / "alone")
    report = go(folder / "loop.png", folder / "z.png", out=tmp_path / "out")
    assert [item.status for item in report.inputs] == ["failed", "skipped"]
    where = f"it points to {folder / 'loop.png'}"
    assert report.inputs[0].error == f"a link that leads nowhere ({where})"


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    report = go(tmp_path / ("x" * 5000), tmp_path / "a.png", out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}


@pytest.mark.skipif(os.name != "posix", reason="a POSIX pipe")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.png")
    photo(tmp_path / "z.png")
    report = go(tmp_path, out=tmp_path / "out")
    assert [item.status for item in report.inputs] == ["failed", "done"]
    assert "pipe" in report.inputs[0].error


def test_the_output_folder_is_not_looked_into(tmp_path: Path) -> None:
    """Whatever lies there, also what no sidecar tells of."""
    photo(tmp_path / "in/a.png")
    photo(tmp_path / "in/out/stranger.png")
    report = go(tmp_path / "in", out=tmp_path / "in/out", recursive=True)
    assert [Path(item.input).name for item in report.inputs] == ["a.png"]


def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the system does to others than root."""
    scan, access = os.scandir, os.access

    def refuse(path: str) -> object:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder and access(path, mode))


def test_a_folder_that_nobody_may_look_into_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = photo(tmp_path / "shut/a.png").parent
    good = photo(tmp_path / "b.png")
    closed(shut, monkeypatch)
    with pytest.raises(DataError, match=r"shut cannot be looked into: permission denied"):
        go(shut, out=tmp_path / "out")
    report = go(shut, good, out=tmp_path / "out")
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}
    assert report.inputs[0].error.startswith("permission denied (")


def test_subfolders_that_nobody_may_look_into_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(tmp_path / "in/a.png")
    shut = photo(tmp_path / "in/shut/b.png").parent
    closed(shut, monkeypatch)
    report, notes = tell(tmp_path / "in", out=tmp_path / "out", recursive=True)
    assert report.count("done") == 1
    assert f"left out: the folder {shut}: permission denied" in notes
