"""Rows of every kind are stacked and mirrored as their kind asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.data import ROWS, Row
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.rows import collate, kind_of_row, mirror
from intrinsic_cli.kit.data.synth.compose import compose
from intrinsic_cli.kit.data.synth.scenes import MINIATURE, open_synth
from intrinsic_cli.kit.data.synth.shards import Shards

OWN: dict[str, Row] = {"gaze": "vectors", "age": "numbers", "eyes": "points"}
SIDE = 6


@pytest.fixture
def sample() -> dict[str, Any]:
    """A row of every kind."""
    rng = np.random.default_rng(0)
    return {
        "photo": rng.random((SIDE, SIDE, 3), np.float32),
        "silhouette": rng.random((SIDE, SIDE, 1), np.float32),
        "normals": rng.normal(size=(SIDE, SIDE, 3)).astype(np.float32),
        "keypoints": rng.uniform(-1, 1, (4, 3)).astype(np.float32),
        "light": rng.normal(size=27).astype(np.float32),
        "gaze": rng.normal(size=(SIDE, SIDE, 3)).astype(np.float32),
        "age": rng.random(2, np.float32),
    }


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("depth", "planes"),
        ("normals", "vectors"),
        ("keypoints", "points"),
        ("light", "light"),
        ("photo_mask", "planes"),
        ("true normals", "vectors"),
        ("gaze", "vectors"),
        ("true age", "numbers"),
    ],
)
def test_the_kind_of_a_key(key: str, kind: str) -> None:
    assert kind_of_row(key, OWN) == kind


def test_a_dataset_may_say_otherwise_of_a_known_key() -> None:
    assert kind_of_row("depth", {"depth": "numbers"}) == "numbers"


def test_a_key_whose_kind_nobody_has_said_is_told() -> None:
    with pytest.raises(PluginError, match="'gaze' is not known") as told:
        kind_of_row("gaze")
    assert "rows = {'gaze': KIND}" in told.value.hint


def test_planes_are_stacked_with_channels_first_and_others_as_they_are(sample: Any) -> None:
    batch = collate([sample, mirror(sample, OWN), sample], OWN)
    assert {key: tuple(x.shape) for key, x in batch.items()} == {
        "photo": (3, 3, SIDE, SIDE),
        "silhouette": (3, 1, SIDE, SIDE),
        "normals": (3, 3, SIDE, SIDE),
        "keypoints": (3, 4, 3),
        "light": (3, 27),
        "gaze": (3, 3, SIDE, SIDE),
        "age": (3, 2),
    }
    assert all(x.dtype == torch.float32 for x in batch.values())
    assert batch["photo"][0, 1, 2, 3] == sample["photo"][2, 3, 1]


def test_a_mirror_turns_what_is_on_the_left(sample: Any) -> None:
    turned = mirror(sample, OWN)
    assert np.array_equal(turned["photo"][:, 0], sample["photo"][:, -1])
    for name in ("normals", "gaze"):
        assert np.array_equal(turned[name][:, 0, 0], -sample[name][:, -1, 0])
        assert np.array_equal(turned[name][:, 0, 1:], sample[name][:, -1, 1:])
    assert np.array_equal(turned["keypoints"][:, 0], -sample["keypoints"][:, 0])
    assert np.array_equal(turned["keypoints"][:, 1:], sample["keypoints"][:, 1:])
    assert np.array_equal(turned["age"], sample["age"])


def test_twice_mirrored_is_as_before(sample: Any) -> None:
    swapped = (0, 2, 1, 3)
    again = mirror(mirror(sample, OWN, swapped), OWN, swapped)
    assert all(np.array_equal(again[key], sample[key]) for key in sample)


def test_what_comes_in_pairs_changes_places(sample: Any) -> None:
    points = mirror(sample, OWN, (0, 2, 1, 3))["keypoints"]
    assert points[1, 1] == sample["keypoints"][2, 1]
    assert points[2, 0] == -sample["keypoints"][1, 0]


def test_mirrored_light_shades_the_mirrored_normals(sample: Any) -> None:
    """The shading of a mirrored scene is the mirrored shading: pins which harmonics change sign."""
    normals = sample["normals"] / np.linalg.norm(sample["normals"], axis=-1, keepdims=True)
    scene = {"normals": normals, "light": sample["light"]}
    scene["shading"] = harmonics.shade(scene["normals"], scene["light"])
    turned = mirror(scene)
    shading = harmonics.shade(turned["normals"], turned["light"])
    np.testing.assert_allclose(shading, turned["shading"], atol=1e-6)


def test_even_light_of_one_shades_everything_one() -> None:
    light = np.zeros((3, 9))
    light[:, 0] = np.sqrt(4 * np.pi)
    assert harmonics.shade(np.array([[0.6, 0.0, 0.8]]), light) == pytest.approx(1)


def test_harmonics_are_orthonormal() -> None:
    """By quadrature over the sphere."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(200_000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    nine = harmonics.harmonics(directions)
    gram = nine.T @ nine / len(nine) * 4 * np.pi
    np.testing.assert_allclose(gram, np.eye(9), atol=0.03)


def test_the_light_of_a_rendered_scene_is_that_of_its_shading() -> None:
    """Harmonics leave out shadows and bounces, so it agrees on average: much better than the light
    of another scene, or the same light mirrored."""
    shards = Shards(MINIATURE / "val")
    errors_of: dict[str, list[float]] = {"own": [], "other": [], "turned": []}
    whole = Window(0, 0, 256)
    samples = [
        compose(shards[i], np.random.default_rng((7, i)), whole, 64, plain=True)
        for i in range(len(shards))
    ]
    for i, sample in enumerate(samples):
        known = sample["mask"][..., 0] > 0
        lights = {
            "own": sample["light"],
            "other": samples[i - 1]["light"],
            "turned": mirror({"light": sample["light"]})["light"],
        }
        for name, errors in errors_of.items():
            shading = harmonics.shade(sample["normals"][known], lights[name]).mean(-1)
            truth = sample["shading"][known].mean(-1)
            errors.append(1 - np.corrcoef(shading, truth)[0, 1])
    own, other, turned = (np.mean(errors) for errors in errors_of.values())
    assert own < 0.8 * turned
    assert own < 0.8 * other


def test_scenes_offer_light_where_they_know_it() -> None:
    source = open_synth()
    batch = next(iter(source.batches("train", 2, 16)))
    assert batch["light"].shape == (2, 27)
    assert source.cases()[0].facts["light"].shape == (27,)
    assert {key: kind_of_row(key) for key in source.offers} == {k: ROWS[k] for k in source.offers}
