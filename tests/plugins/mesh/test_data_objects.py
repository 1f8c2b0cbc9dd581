"""One's own photos with silhouettes: tiny folders made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from iid_mesh.data import objects
from iid_mesh.data.objects import open_objects, part_maps
from iid_mesh.data.square import Square, box_of, square_around
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.opencv import cv2

from .objects_drawn import drop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for number in range(4):
        photo, mask = drop(2 * number - 4)
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
    photo, mask = drop(0)
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
    photo, _ = drop(0)
    cv2.imwrite(str(tmp_path / "images" / "one.jpg"), photo)
    with pytest.raises(DataError, match="neither a mask nor alpha"):
        open_objects(tmp_path).cases("val")[0]
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "one.png"), np.zeros((60, 80), np.uint8))
    with pytest.raises(DataError, match="is empty"):
        open_objects(tmp_path).cases("val")[0]
    assert objects.find(tmp_path)[0].mask is not None
