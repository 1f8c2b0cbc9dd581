"""Rendered heads: what is composed is true."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from balls import SIDE, write_heads

from iid_residual.data.compose import _hidden, cut_out
from iid_residual.data.heads import Heads, open_heads
from iid_residual.faces.template import TEMPLATE, Pose
from iid_residual.harmonics import from_house, shade, vectors_from_house
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.synth.shards import Shards
from intrinsic_cli.kit.files.opencv import cv2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Balls instead of heads, and a scene that is none."""
    return write_heads(tmp_path_factory.mktemp("heads"))


def _error(batch: dict[str, torch.Tensor]) -> float:
    """Of albedo · harmonics against albedo · shading, where truth holds."""
    made = shade(vectors_from_house(batch["normals"]), from_house(batch["light"]))
    difference = (made - batch["shading"]).abs() * batch["mask"]
    return float(difference.sum() / (batch["shading"] * batch["mask"]).sum())


def test_only_faces_are_shown(folder: Path) -> None:
    heads = open_heads(folder)
    assert heads.counts("train") == {"photo": 2}
    assert len(heads.cases("val")) == 2


def test_the_photo_is_albedo_times_shading(folder: Path) -> None:
    batch = next(iter(open_heads(folder).batches("val", 2, 32)))
    made = batch["albedo"] * batch["shading"]
    error = ((made - batch["photo"]).abs() * batch["mask"]).max()
    assert batch["mask"].mean() > 0.4
    assert float(error) < 0.12  # noise and the tone curve of the camera
    assert float(((made - batch["photo"]).abs() * batch["mask"]).mean()) < 0.03


def test_light_and_normals_agree_with_the_shading(folder: Path) -> None:
    """In validation and, moved, turned and mirrored, in training."""
    heads = open_heads(folder)
    assert _error(dict(next(iter(heads.batches("val", 2, 32))))) < 0.06
    for batch in islice(heads.batches("train", 4, 32), 4):
        assert _error(dict(batch)) < 0.12


def test_a_turned_crop_turns_normals_and_light(folder: Path) -> None:
    scene = Shards(folder / "val")[0]
    points = np.asarray(TEMPLATE, np.float32) * SIDE
    straight = cut_out(scene, points, Pose(32, 32, 64, 0), 32)
    turned = cut_out(scene, points, Pose(32, 32, 64, 90), 32)
    upright = straight.normals[:, 16:][::-1]
    assert turned.lights.shape == (3, 27)
    # What faced up in the picture faces right in a crop turned back by 90 degrees clockwise.
    assert straight.normals[4, 16, 1] > 0.7
    assert turned.normals[16, 27, 0] > 0.7
    assert upright.size
    lamp = from_house(torch.from_numpy(turned.lights[:1]))
    made = shade(vectors_from_house(_planes(turned.normals)), lamp)
    stored = 4 * (turned.shadings[0].astype(np.float32) / 255) ** 2.4
    inside = turned.inside[4:-4, 4:-4]
    found = made[0].permute(1, 2, 0).numpy()[4:-4, 4:-4]
    assert np.abs(np.clip(found, 0, 4) - stored[4:-4, 4:-4])[inside].mean() < 0.06


def _planes(normals: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(normals)).permute(2, 0, 1)[None]


def test_what_hides_the_face_is_not_learned_from() -> None:
    photo = np.full((64, 64, 3), 0.8, np.float32)
    points = np.asarray(TEMPLATE, np.float32) * 64
    touched = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hidden, mask = _hidden(photo, np.ones((64, 64), bool), points, rng)
        changed = np.abs(hidden - photo).max(2) > 0
        assert not (changed & mask).any()
        touched += bool(changed.any())
    assert 3 < touched < 20


def test_the_stream_depends_on_seed_and_number_alone(folder: Path) -> None:
    heads = Heads(folder)
    third = list(islice(heads.batches("train", 2, 32, seed=5), 3))[2]
    again = next(iter(Heads(folder).batches("train", 2, 32, seed=5, start=2)))
    other = next(iter(Heads(folder).batches("train", 2, 32, seed=6, start=2)))
    assert all(third[key].equal(again[key]) for key in third)
    assert not third["photo"].equal(other["photo"])


def test_photos_without_truth_are_labelled_so(folder: Path, tmp_path: Path) -> None:
    photo = np.full((40, 60, 3), 128, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), photo)
    heads = open_heads(Path(f"{folder},{tmp_path}"))
    labels = torch.cat([b["label"] for b in islice(heads.batches("train", 4, 32), 6)])
    assert 0.2 < float(labels.mean()) < 0.8
    assert heads.counts("train") == {"photo": 2, "other photo": 1}
    for batch in islice(heads.batches("train", 4, 32), 2):
        unknown = batch["label"][:, 0] == 0
        assert batch["albedo"][unknown].eq(0).all()
        assert (batch["photo"][unknown] - 0.2159).abs().sum() < 1


def test_the_first_heads_only(folder: Path) -> None:
    assert Heads(folder).first(1).counts("train") == {"photo": 1}


def test_a_folder_without_heads_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no train/ or val/"):
        open_heads(tmp_path)
    with pytest.raises(DataError, match="no folder of faces"):
        open_heads(Path(f"{folder},{tmp_path}/none"))


def test_faces_are_found_by_outline_where_no_points_are_named(folder: Path) -> None:
    heads = Heads(folder)
    scenes = heads._scenes("val")
    scenes._points = {}
    _, pose = scenes.pose(scenes.scene(0))
    assert abs(pose.x - SIDE / 2) < SIDE / 8
    assert SIDE / 2 < pose.side < 1.5 * SIDE
