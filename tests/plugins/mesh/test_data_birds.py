"""Made-up birds: shapes that correspond, pictures that agree with their truth."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from iid_mesh.data import birds
from iid_mesh.data.bird_sources import open_birds
from iid_mesh.data.ellipsoids import Ellipsoid, reaches
from iid_mesh.data.landmarks import KEYPOINTS, MIRRORED, PARTS, keypoint_vertices, vertex_parts
from iid_mesh.data.portrait import portrait
from iid_mesh.data.shapes import bird_of, mean_bird, random_build, vertices_of
from iid_mesh.data.zbuffer import rasterize
from iid_mesh.data.zones import ZONES, vertex_zones
from iid_mesh.render.camera import project
from iid_mesh.render.hard import visible
from iid_mesh.template import icosphere
from intrinsic_cli.api import DataError

SIDE = 48


def test_rays_leave_ellipsoids_where_they_should() -> None:
    turned = Ellipsoid("body", (0, 0, 0), (3, 1, 2), tilt=90)
    ahead = Ellipsoid("head", (4, 0, 0), (1, 1, 1))
    rays = np.eye(3)
    assert reaches([turned], rays)[0] == pytest.approx([2, 1, 3])
    assert reaches([ahead], rays)[0] == pytest.approx([5, 0, 0]), "rays that miss it reach nothing"


def test_shapes_are_mirrored_and_never_folded() -> None:
    template = icosphere()
    faces = template.outward.numpy()
    rng = np.random.default_rng(0)
    for _ in range(20):
        bird = bird_of(random_build(rng))
        points = vertices_of(bird)
        assert np.array_equal(points[template.mirror.numpy()] * (1, -1, 1), points)
        a, b, c = points[faces].transpose(1, 0, 2)
        assert (np.cross(a, b) * c).sum(axis=1).min() > 0, "every ray meets the surface once"


def test_a_keypoint_is_the_same_spot_of_every_bird() -> None:
    rng = np.random.default_rng(1)
    vertices = keypoint_vertices()
    assert len(set(vertices.tolist())) == 15
    beak, tail = KEYPOINTS.index("beak"), KEYPOINTS.index("tail")
    for _ in range(5):
        bird = bird_of(random_build(rng))
        points = vertices_of(bird)[vertices]
        assert points[beak] == pytest.approx(bird.beak, abs=1e-6)
        assert points[tail] == pytest.approx(bird.tail, abs=1e-6)
        assert points[list(MIRRORED)][6:9] == pytest.approx(points[6:9] * (1, -1, 1))


def test_every_part_is_where_it_belongs() -> None:
    _, points = mean_bird()
    parts = vertex_parts()
    middles = [points[parts == number].mean(axis=0) for number in range(len(PARTS))]
    head, neck, back, belly = middles
    assert head[2] > neck[2] > belly[2]
    assert back[2] > belly[2]
    assert head[0] > neck[0] > back[0]


def test_every_zone_is_where_it_belongs() -> None:
    _, points = mean_bird()
    zones = vertex_zones()
    there = {name: points[zones == number] for number, name in enumerate(ZONES)}
    assert not len(there.pop("foot")), "made-up birds have none"
    middle = {name: places.mean(axis=0) for name, places in there.items()}
    for row in ("beak face nape", "breast belly vent", "shoulder wing", "mantle rump tail"):
        ahead = [middle[name][0] for name in row.split()]
        assert ahead == sorted(ahead, reverse=True)
    for column in ("crown face throat breast", "mantle wing thigh", "rump vent"):
        above = [middle[name][2] for name in column.split()]
        assert above == sorted(above, reverse=True)
    assert np.array_equal(zones, zones[icosphere().mirror.numpy()])


@pytest.fixture(scope="module")
def made() -> list[dict[str, np.ndarray]]:
    return [dict(portrait(SIDE, np.random.default_rng(seed))) for seed in range(6)]


def test_pictures_are_light_on_reflectance(made: list[dict[str, np.ndarray]]) -> None:
    for sample in made:
        assert sample["photo"].shape == sample["albedo"].shape == (SIDE, SIDE, 3)
        for name in ("photo", "albedo", "mask", "parts"):
            assert 0 <= sample[name].min() <= sample[name].max() <= 1
        inside = sample["mask"][..., 0] > 0.99
        assert 0.1 < inside.mean() < 0.8
        whole = (sample["albedo"] * sample["shading"])[inside]
        photo = sample["photo"][inside]
        unclipped = photo.max(axis=1) < 0.95
        gains = photo[unclipped].mean(axis=0) / whole[unclipped].mean(axis=0)
        assert np.abs(photo - whole * gains)[unclipped].mean() < 0.03
        for name in ("parts", "zones"):
            assert sample[name].sum(axis=2) == pytest.approx(np.ones((SIDE, SIDE)), abs=1e-5)


def test_the_true_camera_sees_the_true_shape_where_the_mask_is(
    made: list[dict[str, np.ndarray]],
) -> None:
    for sample in made:
        vertices = torch.from_numpy(sample["vertices"])[None]
        seen = project(vertices, torch.from_numpy(sample["cameras"])[None])
        mask = visible(seen, icosphere().faces, SIDE).mask[0].numpy()
        drawn = sample["mask"][..., 0] > 0.5
        assert (mask & drawn).sum() / (mask | drawn).sum() > 0.95
        places = seen[0, keypoint_vertices(), :2].numpy()
        assert sample["keypoints"][:, :2] == pytest.approx(places, abs=1e-5)
        assert set(sample["keypoints"][:, 2].tolist()) == {0, 1}, "some are hidden, some are not"
        assert np.abs(seen[0, :, :2].numpy()).max() < 1.1


def test_what_is_hidden_is_not_seen() -> None:
    """From the bird's left its right eye, wing and leg are hidden."""
    seen = [
        portrait(SIDE, np.random.default_rng((3, seed)))["keypoints"][:, 2] for seed in range(9)
    ]
    left, right = KEYPOINTS.index("left wing"), KEYPOINTS.index("right wing")
    both = [points[left] and points[right] for points in seen]
    one = [points[left] != points[right] for points in seen]
    assert sum(one) > sum(both)


def test_batches_are_decided_by_seed_and_number() -> None:
    source = open_birds()
    first, second = islice(source.batches("train", 2, 16, seed=4), 2)
    assert set(first) == source.offers
    assert first["parts"].shape == (2, 5, 16, 16)
    assert first["zones"].shape == (2, 18, 16, 16)
    assert first["cameras"].shape == (2, 7)
    assert first["vertices"].shape == (2, 642, 3)
    assert first["keypoints"].shape == (2, 15, 3)
    resumed = next(iter(source.batches("train", 2, 16, seed=4, start=1)))
    assert torch.equal(second["photo"], resumed["photo"])
    assert not torch.equal(first["photo"], second["photo"])
    other = next(iter(source.batches("train", 2, 16, seed=5)))
    assert not torch.equal(first["photo"], other["photo"])


def test_validation_is_always_the_same_and_none_of_the_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(birds, "_COUNT", 3)
    source = open_birds()
    batches = list(source.batches("val", 2, 16))
    assert [len(batch["photo"]) for batch in batches] == [2, 1]
    again = list(source.batches("val", 2, 16, seed=9))
    assert torch.equal(batches[1]["photo"], again[1]["photo"])
    trained = next(iter(source.batches("train", 2, 16, seed=0)))
    assert not torch.equal(batches[0]["vertices"], trained["vertices"])
    cases = source.cases()
    assert len(cases) == 3
    assert cases[0].truth["silhouette"].shape == (128, 128, 1)
    assert cases[0].facts["vertices"] == pytest.approx(batches[0]["vertices"][0].numpy())


def test_the_nearer_of_two_faces_is_seen_and_backs_are_not() -> None:
    square = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    points = np.concatenate([square, square - (0, 0, 1), square - (0, 0, 2)])
    front = np.array([[0, 2, 1], [0, 3, 2]])
    faces = np.concatenate([front, front + 4, front[:, ::-1] + 8])
    seen = rasterize(points.astype(np.float32), faces, 4)
    assert sorted(seen.places.tolist()) == list(range(16))
    assert seen.depth == pytest.approx(np.full(16, -1))
    assert seen.weights.sum(axis=1) == pytest.approx(np.ones(16))
    middles = (2 * (seen.places % 4) + 1) / 4 - 1
    assert seen.of(points.astype(np.float32))[:, 0] == pytest.approx(middles)


def test_a_path_without_shards_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no train/ or val/"):
        open_birds(tmp_path)
