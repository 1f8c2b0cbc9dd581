"""Rendered birds of shards: cut out, with keypoints, cameras and parts that follow."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from iid_mesh.data.bird_sources import open_birds
from iid_mesh.data.landmarks import KEYPOINTS, keypoint_vertices
from iid_mesh.data.rendered import RenderedBirds, mirrored
from iid_mesh.data.shapes import mean_bird
from iid_mesh.render.camera import anchors, project
from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.opencv import cv2

SIDE = 64
CAMERA = [0.3, 0.25, -0.1, *anchors(1)[0].tolist()]


def write_shard(folder: Path, keys: list[str]) -> None:
    """Scenes of one gray bird: the mean bird's projected vertices, filled."""
    (folder / "parts").mkdir(parents=True)
    seen = project(torch.from_numpy(mean_bird()[1]).float(), torch.tensor([CAMERA]))[0].numpy()
    pixels = ((seen[:, :2] + 1) * SIDE / 2).astype(np.int32)
    ids = np.full((SIDE, SIDE), 2, np.uint8)
    cv2.fillConvexPoly(ids, cv2.convexHull(pixels), 1)
    gray = np.full((SIDE, SIDE, 3), 128, np.uint8)
    meta = {"n_albedo": 1, "n_shading": 2, "specular": [], "category": "bird"}
    members = {f"{name}.webp": cv2.imencode(".webp", gray)[1].tobytes() for name in _LAYERS}
    members["ids.png"] = cv2.imencode(".png", ids)[1].tobytes()
    members["meta.json"] = json.dumps(meta).encode()
    with tarfile.open(folder / "one.tar", "w") as archive:
        for key in keys:
            for name, data in members.items():
                told = tarfile.TarInfo(f"{key}.{name}")
                told.size = len(data)
                archive.addfile(told, io.BytesIO(data))
    points = np.concatenate([seen[keypoint_vertices(), :2], np.ones((15, 1))], axis=1)
    truth = {keys[0]: {"keypoints": points.tolist(), "camera": CAMERA}}
    (folder / "birds.json").write_text(json.dumps(truth))
    cv2.imwrite(str(folder / "parts" / f"{keys[0]}.png"), (ids == 1) * np.uint8(3))


_LAYERS = ("albedo0", "shading0", "shading1", "normal")


@pytest.fixture
def source(tmp_path: Path) -> RenderedBirds:
    for split in ("train", "val"):
        write_shard(tmp_path / split, ["bird-1", "bird-2", "room-3"])
    opened = open_birds(tmp_path)
    assert isinstance(opened, RenderedBirds)
    return opened


def test_birds_without_truth_are_passed_over(source: RenderedBirds) -> None:
    assert source.counts("val") == {"photo": 1}
    assert source.cases()[0].name == "bird-1"


def test_keypoints_and_camera_follow_the_crop(source: RenderedBirds) -> None:
    case = source.cases()[0]
    camera = torch.from_numpy(case.facts["cameras"])[None]
    seen = project(torch.from_numpy(mean_bird()[1]).float(), camera)[0]
    keypoints = case.facts["keypoints"]
    assert keypoints[:, :2] == pytest.approx(seen[keypoint_vertices(), :2].numpy(), abs=1e-3)
    low, high = seen[:, :2].amin(0), seen[:, :2].amax(0)
    assert float((high - low).max()) == pytest.approx(2 / 1.1, abs=0.2)
    assert (low + high).abs().max() < 0.2, "the bird stands in the middle"


def test_a_batch_has_the_parts_and_the_mask_of_its_bird(source: RenderedBirds) -> None:
    (batch,) = source.batches("val", 4, 32)
    assert set(batch) == source.offers
    mask = batch["mask"]
    assert 0.2 < mask.mean() < 0.8
    assert batch["parts"][0, 3] == pytest.approx(mask[0, 0], abs=0.05)
    assert batch["parts"].sum(1) == pytest.approx(torch.ones(1, 32, 32), abs=1e-5)
    (again,) = source.batches("val", 4, 32, seed=3)
    assert torch.equal(batch["photo"], again["photo"])


def test_zones_come_along_where_they_are_known(source: RenderedBirds, tmp_path: Path) -> None:
    assert "zones" not in source.offers
    for split in ("train", "val"):
        (tmp_path / split / "zones").mkdir()
        parts = cv2.imread(str(tmp_path / split / "parts" / "bird-1.png"), 0)
        assert parts is not None
        cv2.imwrite(str(tmp_path / split / "zones" / "bird-1.png"), (parts > 0) * np.uint8(17))
    known = RenderedBirds(tmp_path)
    (batch,) = known.batches("val", 4, 32)
    assert set(batch) == known.offers
    assert batch["zones"].shape == (1, 18, 32, 32)
    assert batch["zones"][0, 17] == pytest.approx(batch["mask"][0, 0], abs=0.05)


def test_training_mixes_made_up_birds_with_them(source: RenderedBirds) -> None:
    batch = next(iter(source.batches("train", 12, 16, seed=1)))
    assert set(batch) == source.offers
    flat = batch["albedo"].flatten(2).std(2).mean(1) < 0.01
    assert 0 < flat.sum() < 12, "rendered ones are gray here, made-up ones are not"


def test_a_mirrored_bird_has_a_mirrored_camera(source: RenderedBirds) -> None:
    sample = {key: value.numpy() for key, value in next(iter(source.batches("val", 1, 32))).items()}
    planes = {"photo", "albedo", "shading", "mask", "silhouette", "parts"}
    sample = {key: v[0].transpose(1, 2, 0) if key in planes else v[0] for key, v in sample.items()}
    turned = mirrored(sample)
    camera = torch.from_numpy(turned["cameras"])[None]
    seen = project(torch.from_numpy(mean_bird()[1]).float(), camera)[0]
    places = seen[keypoint_vertices(), :2].numpy()
    # The mean bird's keypoints on the plane of symmetry lie a little beside it.
    assert turned["keypoints"][:, :2] == pytest.approx(places, abs=0.1)
    beak = KEYPOINTS.index("beak")
    assert turned["keypoints"][beak, 0] == pytest.approx(-sample["keypoints"][beak, 0])


def test_missing_truth_is_told(source: RenderedBirds, tmp_path: Path) -> None:
    (tmp_path / "val" / "birds.json").unlink()
    with pytest.raises(DataError, match=r"no birds that birds\.json knows"):
        open_birds(tmp_path).cases()
    (tmp_path / "train" / "birds.json").write_text("{")
    with pytest.raises(DataError, match="not readable"):
        open_birds(tmp_path).cases("train")
