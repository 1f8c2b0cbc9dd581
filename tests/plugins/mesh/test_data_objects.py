"""One's own photos with silhouettes, and CMR's caches of CUB: tiny folders made here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iid_mesh.data import objects
from iid_mesh.data.cub_cache import open_cub_cache
from iid_mesh.data.objects import open_objects, part_maps
from iid_mesh.data.square import Square, box_of, square_around
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.opencv import cv2


def picture(shift: int) -> tuple[np.ndarray, np.ndarray]:
    """A drop that is red at its thick end and blue at its thin one, and its mask."""
    mask = np.zeros((60, 80), np.uint8)
    cv2.circle(mask, (30 + shift, 30), 14, 255, -1)
    cv2.fillConvexPoly(mask, np.array([[30 + shift, 18], [30 + shift, 42], [70 + shift, 30]]), 255)
    photo = np.full((60, 80, 3), 40, np.uint8)
    photo[mask > 0] = (0, 0, 220)
    photo[(mask > 0) & (np.arange(80) > 45 + shift)] = (220, 0, 0)
    return photo, mask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for number in range(4):
        photo, mask = picture(2 * number - 4)
        if number < 3:
            cv2.imwrite(str(tmp_path / "images" / f"drop{number}.jpg"), photo)
            cv2.imwrite(str(tmp_path / "masks" / f"drop{number}.png"), mask)
        else:
            alpha = np.concatenate([photo, mask[..., None]], axis=2)
            cv2.imwrite(str(tmp_path / "images" / f"drop{number}.png"), alpha)
    return tmp_path


def test_the_square_around_a_box_follows_the_box() -> None:
    mask = np.zeros((50, 40), bool)
    mask[10:20, 5:35] = True
    assert box_of(mask) == (5, 10, 30, 10)
    square = square_around(box_of(mask))
    assert square == Square(4, -2, 33)
    moved = {square_around(box_of(mask), np.random.default_rng(seed)) for seed in range(9)}
    assert len(moved) > 3
    assert box_of(np.zeros((4, 6), bool)) == (0, 0, 6, 4)


def test_a_square_may_reach_beyond_its_photo() -> None:
    photo = np.arange(16, dtype=np.float32).reshape(4, 4)
    cut = Square(-2, 1, 4).of(photo, 4, outside=-1.0)[..., 0]
    assert cut.tolist() == [[-1, -1, 4, 5], [-1, -1, 8, 9], [-1, -1, 12, 13], [-1, -1, -1, -1]]
    on = Square(2, 2, 4).of(photo, 4)[..., 0]
    assert on[-1].tolist() == [14, 15, 15, 15]
    points = Square(2, 2, 4).points(np.array([[2.0, 6.0, 1.0], [4.0, 4.0, 0.0]]))
    assert points.tolist() == [[-1, 1, 1], [0, 0, 0]]


def test_objects_come_cut_out_with_their_silhouettes(folder: Path) -> None:
    source = open_objects(folder)
    assert source.counts("train")["photo"] + source.counts("val")["photo"] == 4
    cases = source.every_case()
    assert len(cases) == 4
    for case in cases:
        inside = case.truth["silhouette"][..., 0] > 0.5
        assert 0.15 < inside.mean() < 0.4
        columns = np.flatnonzero(inside.any(axis=0))
        assert columns[0] == pytest.approx(6, abs=3)
        assert columns[-1] == pytest.approx(121, abs=3)


def test_parts_lie_at_the_same_end_of_every_object(folder: Path) -> None:
    source = open_objects(folder)
    batch = next(iter(source.batches("train", 3, 32)))
    assert set(batch) == source.offers
    parts = batch["parts"]
    assert parts.shape == (3, 5, 32, 32)
    assert torch.equal(parts.sum(1), torch.ones(3, 32, 32))
    assert (parts[:, 1:].sum((2, 3)) > 5).all(), "every part is there"
    again = open_objects(folder)
    assert np.array_equal(source.centres, again.centres), "k-means is seeded"


def test_the_thin_end_is_one_part_whichever_way_it_points(folder: Path) -> None:
    centres = open_objects(folder).centres
    photo, mask = picture(0)
    light = photo[..., ::-1].astype(np.float32) / 255
    inside = (mask > 0)[..., None].astype(np.float32)
    plain = part_maps(light, inside, centres)
    turned = part_maps(light[:, ::-1], inside[:, ::-1], centres)
    assert (plain == turned[:, ::-1]).mean() > 0.97
    assert plain[30, 66].argmax() != plain[30, 20].argmax()


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images/"):
        open_objects(tmp_path)
    (tmp_path / "images").mkdir()
    photo, _ = picture(0)
    cv2.imwrite(str(tmp_path / "images" / "one.jpg"), photo)
    with pytest.raises(DataError, match="neither a mask nor alpha"):
        open_objects(tmp_path).cases("val")[0]
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "one.png"), np.zeros((60, 80), np.uint8))
    with pytest.raises(DataError, match="is empty"):
        open_objects(tmp_path).cases("val")[0]
    assert objects.find(tmp_path)[0].mask is not None


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Two birds, one of each split, counted from 1 as MATLAB does."""
    scipy = pytest.importorskip("scipy.io")
    images = tmp_path / "CUB_200_2011" / "images" / "001.Drop"
    images.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    for split, shift in (("train", 0), ("test", 4)):
        photo, mask = picture(shift)
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
    source = open_cub_cache(cache)
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


def test_part_maps_beside_the_cache_are_offered(cache: Path) -> None:
    maps = np.zeros((8, 8, 5), np.float32)
    maps[..., 2] = 0.5
    (cache / "scops" / "001.Drop").mkdir(parents=True)
    for split in ("train", "test"):
        np.save(cache / "scops" / "001.Drop" / f"{split}_0.npy", maps)
    (batch,) = open_cub_cache(cache).batches("val", 1, 16)
    assert torch.equal(batch["parts"][:, 2:3], batch["mask"])
    assert torch.equal(batch["parts"][:, :1], 1 - batch["mask"])


def test_a_missing_reader_or_cache_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "data" / "train_cub_cleaned.mat").write_bytes(b"no such thing")
    with pytest.raises(DataError, match="no cache of annotations"):
        open_cub_cache(cache)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(DataError, match="package scipy"):
        open_cub_cache(cache)
    (cache / "data" / "train_cub_cleaned.mat").unlink()
    with pytest.raises(DataError, match="train_cub_cleaned"):
        open_cub_cache(cache)
