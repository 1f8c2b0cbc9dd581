"""The folder of a clip's pictures takes the place of an earlier one of iid's, and of nothing
else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import everything, go, photo, statuses

from intrinsic_cli.api import IidError, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.runs.decompose import clip_work, clips
from intrinsic_cli.runs.decompose.clip_work import ClipWork

COUNT = 3


def shot(folder: Path, name: str = "a.") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for number in range(1, COUNT + 1):
        codes = rng.integers(60, 200, (24, 32, 3), np.uint8)
        assert cv2.imwrite(str(folder / f"{name}{number:04d}.png"), codes)
    return folder


def strangers(out: Path) -> Path:
    """A folder of somebody else's where the layers of the shot ``a`` would go."""
    folder = out / "a.frames"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    return folder


def test_a_folder_of_frames_is_not_replaced_by_their_layers(tmp_path: Path) -> None:
    folder = shot(tmp_path / "a.frames")
    (folder / "notes.txt").write_text("mine")
    before = everything(tmp_path)
    for given in (folder, folder / "a.####.png", folder / "a.0002.png"):
        with pytest.raises(UsageError, match=r"is an input, and .*a\.frames would be replaced"):
            go(given, out=tmp_path, sequence=True)
    assert everything(tmp_path) == before
    assert statuses(go(folder, out=tmp_path / "out", sequence=True))["done"] == 1


@pytest.mark.parametrize("place", ["b.png", "sub/b.png"])
def test_photos_in_the_folder_of_a_clip_are_not_replaced(tmp_path: Path, place: str) -> None:
    folder = shot(tmp_path / "in")
    lying = photo(tmp_path / "a.frames" / place)
    with pytest.raises(UsageError, match="would be replaced"):
        go(folder, lying, out=tmp_path, sequence=True)
    assert lying.exists()


def test_links_into_the_folder_are_followed(tmp_path: Path) -> None:
    folder = shot(tmp_path / "out" / "a.frames")
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    with pytest.raises(UsageError, match="would be replaced"):
        go(link, out=tmp_path / "out", sequence=True)


def test_videos_of_the_layers_replace_no_folder(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")
    folder = shot(tmp_path / "a.frames")
    (one,) = go(folder, out=tmp_path, sequence=True, frames=False).inputs
    assert one.status == "done"
    assert len(list(folder.iterdir())) == COUNT


@pytest.mark.parametrize("more", [{}, {"force": True}])
def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path, more: dict[str, Any]) -> None:
    folder, out = shot(tmp_path / "in"), tmp_path / "out"
    theirs = strangers(out)
    (one,) = go(folder, out=out, sequence=True, **more).inputs
    assert one.status == "failed"
    assert f"iid did not write {theirs / 'notes.txt'}" in one.error
    assert "choose another -o folder" in one.error
    assert (theirs / "notes.txt").read_text() == "mine"
    assert not list(out.glob(".iid-*")), "no work was begun"


def test_a_folder_that_comes_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = shot(tmp_path / "in"), tmp_path / "out"
    real = ClipWork.run

    def slowly(self: ClipWork) -> Any:
        strangers(out)
        return real(self)

    monkeypatch.setattr(ClipWork, "run", slowly)
    (one,) = go(folder, out=out, sequence=True).inputs
    assert "iid did not write" in one.error
    assert (out / "a.frames/notes.txt").read_text() == "mine"


def test_a_file_of_somebody_else_among_the_layers_is_kept(tmp_path: Path) -> None:
    folder, out = shot(tmp_path / "in"), tmp_path / "out"
    go(folder, out=out, sequence=True)
    notes = out / "a.frames/notes.txt"
    notes.write_text("mine")
    (one,) = go(folder, out=out, sequence=True, force=True).inputs
    assert "iid did not write" in one.error
    assert go(folder, out=out, sequence=True).count("skipped") == 1
    notes.unlink()
    assert go(folder, out=out, sequence=True, force=True).count("done") == 1


@pytest.mark.parametrize("form", ["png", "npz"])
def test_layers_of_an_earlier_run_are_replaced(tmp_path: Path, form: str) -> None:
    folder, out = shot(tmp_path / "in"), tmp_path / "out"
    go(folder, out=out, sequence=True, format=form)
    (out / "a.frames" / ("a.9999.npz" if form == "npz" else "a.9999.albedo.png")).touch()
    assert go(folder, out=out, sequence=True, format="exr").count("done") == 1
    names = {path.suffix for path in (out / "a.frames").iterdir()}
    assert names == {".exr"}, "nothing is left of them"
    assert not list(out.glob(".iid-*"))


def without_options(file: Any, save: Any = np.savez, **arrays: Any) -> None:
    """As in NumPy 1, which takes every word for the name of an array."""
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    save(file, **arrays)


@pytest.mark.parametrize("part", [2, 60])
def test_a_run_that_is_killed_before_its_sidecar_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(clip_work, "PART", part)
    folder, out = shot(tmp_path / "in"), tmp_path / "out"

    def fails(*_: Any) -> None:
        raise IidError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(clips, "put_sidecar", fails)
        patch.setattr(np, "savez", without_options)
        assert go(folder, out=out, sequence=True).count("failed") == 1
    with np.load(out / ".iid-clip-a/state.npz") as state:
        assert {"frames", "lost", "seconds", "squares", "notes", "scales"} <= set(state.files)
    assert len(list((out / "a.frames").iterdir())) == 2 * COUNT
    assert go(folder, out=out, sequence=True).count("done") == 1
    assert len(list((out / "a.frames").iterdir())) == 2 * COUNT
