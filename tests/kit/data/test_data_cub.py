"""CUB-200-2011 on a tiny made-up copy of its layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.kit.data.cub.prepare import prepare
from intrinsic_cli.kit.data.cub.reader import MIRRORED, open_cub, square_box
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.score import score


@pytest.fixture
def aviary(tmp_path: Path) -> Path:
    root = tmp_path / "CUB_200_2011"
    for place in ("images/001.Gull", "segmentations/001.Gull", "parts"):
        (root / place).mkdir(parents=True)
    for name in ("a", "b"):
        photo, mask = np.full((100, 120, 3), 60, np.uint8), np.zeros((100, 120), np.uint8)
        photo[20:60, 30:90], mask[20:60, 30:90] = 200, 255
        cv2.imwrite(str(root / f"images/001.Gull/{name}.jpg"), photo)
        cv2.imwrite(str(root / f"segmentations/001.Gull/{name}.png"), mask)
    (root / "images.txt").write_text("1 001.Gull/a.jpg\n2 001.Gull/b.jpg\n")
    (root / "bounding_boxes.txt").write_text("1 31.0 21.0 60.0 40.0\n2 31.0 21.0 60.0 40.0\n")
    (root / "train_test_split.txt").write_text("1 1\n2 0\n")
    (root / "parts/part_locs.txt").write_text("1 2 61.0 41.0 1\n2 15 31.0 41.0 1\n2 1 0.0 0.0 0\n")
    return tmp_path


def test_crops_are_square_about_the_padded_box(aviary: Path) -> None:
    (case,) = open_cub(aviary).cases()
    assert (case.name, case.photo.shape) == ("b", (256, 256, 3))
    assert square_box((30, 20, 60, 40)) == pytest.approx((27, 7, 66))
    share = case.truth["mask"].mean()
    assert share == pytest.approx(60 * 40 / 66**2, abs=0.01)
    assert score("birds", case, {"mask": case.truth["mask"]})["iou"] == 1


def test_keypoints_are_in_crop_coordinates(aviary: Path) -> None:
    train, test = (open_cub(aviary).cases(split)[0] for split in ("train", "val"))
    assert train.facts["keypoints"][1].tolist() == pytest.approx([0, 0, 1])  # the middle of the box
    assert test.facts["keypoints"][14].tolist() == pytest.approx([-60 / 66, 0, 1])
    assert test.facts["keypoints"][0, 2] == 0
    assert sorted(MIRRORED) == list(range(15))
    assert [MIRRORED[i] for i in MIRRORED] == list(range(15))


def test_batches_hold_photo_and_silhouette(aviary: Path) -> None:
    first, again = (next(open_cub(aviary).batches("train", 2, 32, seed=1)) for _ in range(2))
    assert first["photo"].shape == (2, 3, 32, 32)
    assert first["mask"].shape == (2, 1, 32, 32)
    assert (first["photo"] == again["photo"]).all()
    assert next(open_cub(aviary).batches("val", 2, 32))["mask"].shape == (1, 1, 32, 32)


def test_prepared_crops(aviary: Path, tmp_path: Path) -> None:
    assert prepare(aviary, tmp_path / "crops", Silent()) == 2
    assert prepare(aviary, tmp_path / "crops", Silent()) == 0
    told = json.loads((tmp_path / "crops/test.json").read_text())
    assert told["b"]["class"] == "001.Gull"
    assert len(told["b"]["keypoints"]) == 15
    assert cv2.imread(str(tmp_path / "crops/masks/b.png")).shape == (256, 256, 3)


def test_missing_files_are_named(aviary: Path) -> None:
    root = aviary / "CUB_200_2011"
    (root / "segmentations/001.Gull/b.png").unlink()
    with pytest.raises(DataError, match=r"lacks segmentations.001\.Gull.b\.png"):
        open_cub(aviary)
    (root / "parts/part_locs.txt").unlink()
    with pytest.raises(DataError, match=r"lacks parts.part_locs\.txt"):
        open_cub(aviary)
    with pytest.raises(DataError, match="holds no CUB-200-2011 tables"):
        open_cub(root / "images")
