"""Which folders of frames are iid's own, by the names of their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intrinsic_cli.kit.files.frames_folder import frames_folder, own_files, stranger_in

LAYERS = ("albedo", "shading")


def vouching(form: str, *layers: str) -> dict[str, Any]:
    """A sidecar that tells of ``a.frames``."""
    entry = {"file": "a.frames"}
    return {"format": form, "layers": dict.fromkeys(layers, entry)}


def folder_of(tmp_path: Path, *names: str) -> Path:
    folder = frames_folder(tmp_path / "a")
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "facts", "own"),
    [
        ("000001.albedo.png", None, True),
        ("a.0001.shading.exr", None, True),
        (".DS_Store", None, True),
        (".iid-host-1-x.png", None, True),
        ("a.0001.png", None, False),
        ("albedo.png", None, False),
        ("a.0001.albedo.txt", None, False),
        ("a.0001.residual.png", None, False),
        ("a.0001.residual.png", vouching("png", "residual"), True),
        ("a.0001.png", vouching("png", "albedo"), False),
        ("notes.txt", vouching("png", "albedo"), False),
        ("a.0001.npz", None, False),
        ("a.0001.npz", vouching("npz", "albedo"), True),
        ("a.0001.exr", vouching("exr-multilayer", "albedo"), True),
        ("a.0001.exr", vouching("npz", "albedo"), False),
    ],
)
def test_names_tell_whose_a_file_is(
    tmp_path: Path, name: str, facts: dict[str, Any] | None, own: bool
) -> None:
    folder = folder_of(tmp_path, "000000.albedo.png", name)
    files = own_files(LAYERS, facts, folder.name)
    assert stranger_in(folder, files) == (None if own else folder / name)


def test_a_sidecar_of_another_folder_vouches_for_nothing() -> None:
    files = own_files(LAYERS, vouching("npz", "residual"), "b.frames")
    assert files == own_files(LAYERS, None, "b.frames")


def test_what_is_no_folder_and_folders_within_are_strange(tmp_path: Path) -> None:
    files = own_files(LAYERS, None, "a.frames")
    assert stranger_in(tmp_path / "gone", files) is None
    folder = folder_of(tmp_path)
    assert stranger_in(folder, files) is None
    (folder / "a.albedo.png").mkdir()
    assert stranger_in(folder, files) == folder / "a.albedo.png"
    file = tmp_path / "b.frames"
    file.touch()
    assert stranger_in(file, files) == file
