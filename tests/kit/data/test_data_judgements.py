"""IIW and SAW on tiny made-up copies of their layouts, scored to the end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.iiw import open_encoded, open_iiw
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.saw import SETTINGS, open_2017, open_saw
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.score.saw import SAW_U
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.kit.score.whdr import WHDR

COMPARISONS = [
    (1, 2, "1", 2.0),
    (1, 2, "E", 1.0),
    (1, 3, "2", 9.0),
    (1, 2, "2", 0.0),
    (2, 1, "?", 1.0),
]


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    photo = np.full((8, 10, 3), 60, np.uint8)
    photo[:, 5:] = 200
    points = [
        {"id": i, "x": x, "y": 0.5, "opaque": i != 3} for i, x in ((1, 0.2), (2, 0.8), (3, 0.9))
    ]
    names = ("point1", "point2", "darker", "darker_score")
    told = {
        "intrinsic_points": points,
        "intrinsic_comparisons": [dict(zip(names, c, strict=True)) for c in COMPARISONS],
    }
    for number in (100, 9, 33, 4, 5, 6):
        cv2.imwrite(str(folder / f"{number}.png"), photo)
        (folder / f"{number}.json").write_text(json.dumps(told))
    return tmp_path


def test_every_fifth_photo_by_number_is_held_out(rooms: Path) -> None:
    iiw = open_iiw(rooms)
    assert [case.name for case in iiw.cases()] == ["4", "100"]
    assert [case.name for case in iiw.cases("train")] == ["5", "6", "9", "33"]
    assert (iiw.counts("val")["photo"], iiw.protocol, open_encoded(rooms).protocol) == (
        2,
        "whdr",
        "whdr-encoded",
    )
    with pytest.raises(DataError, match="measuring only"):
        iiw.batches("train", 1, 8)


def test_only_opaque_positive_judgements_count(rooms: Path) -> None:
    case = open_iiw(rooms).cases()[0]
    told = case.facts["judgements"]
    assert told["darker"].tolist() == [1, 0]
    assert told["weights"].tolist() == [2, 1]
    assert told["points"][0].tolist() == [[0.2, 0.5], [0.8, 0.5]]
    assert score_case(WHDR, case, {"albedo": case.photo})["whdr"] == pytest.approx(1 / 3)


def test_missing_and_broken_judgements_are_named(rooms: Path) -> None:
    (rooms / "data" / "4.json").write_text("{}")
    with pytest.raises(DataError, match=r"4\.json holds no IIW judgements"):
        open_iiw(rooms).cases()[0]
    (rooms / "data" / "33.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks 33\.png") as caught:
        open_iiw(rooms)
    names = [case.name for case in caught.value.rest.cases("train")]
    assert names == ["5", "6", "9"]
    with pytest.raises(DataError, match="holds no IIW judgements"):
        open_iiw(rooms / "elsewhere")


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    places = [
        tmp_path / name for name in ("saw_images_512", "saw_splits", f"saw_pixel_labels/{SETTINGS}")
    ]
    for place in places:
        place.mkdir(parents=True)
    np.save(places[1] / "test_ids.npy", np.array([12, 7]))
    labels = np.full((24, 30), 2, np.int32)
    labels[:, 14:16] = 1
    for number in (7, 12):
        cv2.imwrite(str(places[0] / f"{number}.png"), np.full((48, 60, 3), 128, np.uint8))
        np.save(places[2] / f"{number}.npy", labels)
    return tmp_path


def test_labels_come_with_their_photos(annotated: Path) -> None:
    cases = list(open_saw(annotated).cases())
    assert [case.name for case in cases] == ["7", "12"]
    assert cases[0].facts["labels"].shape == (24, 30)
    flat = score_case(SAW_U, cases[0], {"shading": np.ones((48, 60, 1), np.float32)})
    assert 0 < flat["photo_error"] < 1
    assert open_2017(annotated).protocol == "saw-2017"
    with pytest.raises(DataError, match="no 'train' split"):
        open_saw(annotated).cases("train")


def test_photos_that_others_train_on_need_not_be_there(annotated: Path) -> None:
    np.save(annotated / "saw_splits" / "train_ids.npy", np.array([3, 1]))
    assert open_saw(annotated).counts("train") == {"photo": 2}


def test_missing_annotations_are_named(annotated: Path) -> None:
    (annotated / "saw_pixel_labels" / SETTINGS / "7.npy").unlink()
    with pytest.raises(MissingFilesError, match=r"SAW at .* lacks .*7\.npy") as caught:
        open_saw(annotated)
    assert [case.name for case in caught.value.rest.cases()] == ["12"]
    (annotated / "saw_splits" / "test_ids.npy").unlink()
    with pytest.raises(DataError, match=r"lacks saw_splits.test_ids\.npy"):
        open_saw(annotated)
