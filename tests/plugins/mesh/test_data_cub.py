"""CUB-200-2011 on tiny made-up copies of its layouts: its own tables, and CMR's caches."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iid_mesh.data.cub.reader import open_cub
from iid_mesh.data.cub.write_crops import write_crops
from iid_mesh.data.landmarks import MIRRORED
from iid_mesh.data.objects import open_objects
from iid_mesh.data.square import box_of
from iid_mesh.protocol import MESHES
from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.readers import all_cases
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.score.scoring import score_case

from .objects_drawn import drop


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
    (root / "parts/part_locs.txt").write_text(
        "1 2 61.0 41.0 1\n1 7 91.0 41.0 1\n2 15 31.0 41.0 1\n2 1 0.0 0.0 0\n"
    )
    return tmp_path


def test_crops_are_square_about_the_padded_box(aviary: Path) -> None:
    (case,) = open_cub(aviary).cases()
    assert (case.name, case.photo.shape) == ("b", (256, 256, 3))
    silhouette = case.truth["silhouette"]
    assert silhouette.mean() == pytest.approx(60 * 40 / 66**2, abs=0.01)
    assert score_case(MESHES, case, {"mask": silhouette})["iou"] == 1
    assert np.array_equal(case.mask, silhouette[..., 0] > 0.5), (
        "the bird, and not what is around it"
    )


def test_keypoints_are_in_crop_coordinates(aviary: Path) -> None:
    train, test = (open_cub(aviary).cases(split)[0] for split in ("train", "val"))
    assert train.facts["keypoints"][1].tolist() == pytest.approx([0, 0, 1])  # the middle of the box
    assert test.facts["keypoints"][14].tolist() == pytest.approx([-60 / 66, 0, 1])
    assert test.facts["keypoints"][0, 2] == 0
    assert sorted(MIRRORED) == list(range(15))
    assert [MIRRORED[i] for i in MIRRORED] == list(range(15))


def test_batches_hold_all_that_is_offered(aviary: Path) -> None:
    cub = open_cub(aviary)
    first, again = (next(cub.batches("train", 2, 32, seed=1)) for _ in range(2))
    assert first.keys() == cub.offers
    assert first["photo"].shape == (2, 3, 32, 32)
    assert first["silhouette"].shape == first["mask"].shape == (2, 1, 32, 32)
    assert first["keypoints"].shape == (2, 15, 3)
    assert all((first[key] == again[key]).all() for key in first)
    still = next(cub.batches("val", 2, 32))
    assert still["silhouette"].shape == (1, 1, 32, 32)
    assert still["keypoints"][0].numpy() == pytest.approx(cub.cases()[0].facts["keypoints"])


def test_keypoints_move_with_the_bird(aviary: Path) -> None:
    """The keypoint in the middle of the box stays in the middle of the silhouette, however the crop
    is shifted; in a mirror, left and right change places."""
    seen = set()
    batches = open_cub(aviary).batches("train", 1, 64, seed=2)
    for _, batch in zip(range(12), batches, strict=False):
        columns = batch["silhouette"][0, 0].amax(0).nonzero().float()
        rows = batch["silhouette"][0, 0].amax(1).nonzero().float()
        middle = [float(x.mean() + 0.5) * 2 / 64 - 1 for x in (columns, rows)]
        assert batch["keypoints"][0, 1, :2].tolist() == pytest.approx(middle, abs=0.05)
        seen.add(round(middle[0], 2))
    assert len(seen) > 4


def test_left_and_right_wing_change_places_in_a_mirror(aviary: Path) -> None:
    seen = set()
    for _, batch in zip(range(12), open_cub(aviary).batches("train", 1, 16), strict=False):
        wings = batch["keypoints"][0, [6, 10]]
        (visible,) = wings[:, 2].nonzero().flatten().tolist()
        x = float(wings[visible, 0])
        assert x == pytest.approx((60 / 66, -60 / 66)[visible], abs=0.11)
        seen.add(visible)
    assert seen == {0, 1}


def test_what_is_outside_the_photo_is_white_and_no_bird(aviary: Path) -> None:
    boxes = aviary / "CUB_200_2011/bounding_boxes.txt"
    boxes.write_text("1 31.0 21.0 60.0 40.0\n2 91.0 1.0 60.0 40.0\n")
    case = open_cub(aviary).cases()[0]
    assert not case.mask[:, -10:].any()
    assert (case.photo[:, -10:] == 1).all()


def test_prepared_crops(aviary: Path, tmp_path: Path) -> None:
    assert write_crops(aviary, tmp_path / "crops", Silent()) == 2
    assert write_crops(aviary, tmp_path / "crops", Silent()) == 0
    told = json.loads((tmp_path / "crops/test.json").read_text())
    assert told["b"]["class"] == "001.Gull"
    assert len(told["b"]["keypoints"]) == 15
    assert cv2.imread(str(tmp_path / "crops/masks/b.png")).shape == (256, 256, 3)
    assert len(open_objects(tmp_path / "crops").every_case()) == 2, "a folder of objects"


def test_missing_files_are_named(aviary: Path) -> None:
    root = aviary / "CUB_200_2011"
    (root / "segmentations/001.Gull/b.png").unlink()
    lacking = r"lacks segmentations.001\.Gull.b\.png"
    with pytest.raises(MissingFilesError, match=lacking) as caught:
        open_cub(aviary)
    assert [case.name for case in all_cases(caught.value.rest)] == ["a"]
    (root / "parts/part_locs.txt").unlink()
    with pytest.raises(DataError, match=r"lacks parts.part_locs\.txt"):
        open_cub(aviary)
    with pytest.raises(DataError, match="neither the tables of CUB-200-2011 nor caches"):
        open_cub(root / "images")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Two birds, one of each split, counted from 1 as MATLAB does."""
    scipy = pytest.importorskip("scipy.io")
    images = tmp_path / "CUB_200_2011" / "images" / "001.Drop"
    images.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for split, shift in (("train", 0), ("test", 4)):
        photo, mask = drop(shift)
        cv2.imwrite(str(images / f"{split}.jpg"), photo)
        parts = np.zeros((3, 15))
        parts[:, 0] = (71 + shift, 31, 1)
        left, top, width, height = box_of(mask > 0)
        box = {"x1": left + 1, "y1": top + 1, "x2": left + width, "y2": top + height}
        row: dict[str, Any] = {"rel_path": f"001.Drop/{split}.jpg", "bbox": box}
        row |= {"parts": parts, "mask": (mask > 0).astype(np.uint8)}
        scipy.savemat(tmp_path / "data" / f"{split}_cub_cleaned.mat", {"images": row})
    return tmp_path


def test_cached_birds_come_cut_out_with_their_keypoints(cache: Path) -> None:
    source = open_cub(cache)
    assert source.counts("val") == {"photo": 1}
    case = source.cases()[0]
    assert case.name == "test"
    tip = case.facts["keypoints"][0]
    assert tip[2] == 1
    assert tip[0] == pytest.approx(1 / 1.1, abs=0.06), "the thin end is where the box ends"
    assert tip[1] == pytest.approx(0, abs=0.06)
    assert case.facts["keypoints"][1:, 2].sum() == 0
    batch = next(iter(source.batches("train", 2, 32)))
    assert set(batch) == {"photo", "mask", "silhouette", "keypoints"}


def test_the_birds_of_a_cache_without_photos_are_left_out(cache: Path) -> None:
    (cache / "CUB_200_2011/images/001.Drop/train.jpg").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks .*train\.jpg") as caught:
        open_cub(cache)
    assert [case.name for case in all_cases(caught.value.rest)] == ["test"]


def test_part_maps_beside_the_cache_are_offered(cache: Path) -> None:
    maps = np.zeros((8, 8, 5), np.float32)
    maps[..., 2] = 0.5
    (cache / "scops" / "001.Drop").mkdir(parents=True)
    for split in ("train", "test"):
        np.save(cache / "scops" / "001.Drop" / f"{split}_0.npy", maps)
    (batch,) = open_cub(cache).batches("val", 1, 16)
    assert torch.equal(batch["parts"][:, 2:3], batch["mask"])
    assert torch.equal(batch["parts"][:, :1], 1 - batch["mask"])


def test_a_missing_reader_or_cache_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "data" / "train_cub_cleaned.mat").write_bytes(b"no such thing")
    with pytest.raises(DataError, match="no cache of annotations"):
        open_cub(cache)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(DataError, match="package scipy"):
        open_cub(cache)
    (cache / "data" / "train_cub_cleaned.mat").unlink()
    with pytest.raises(DataError, match="train_cub_cleaned"):
        open_cub(cache)
