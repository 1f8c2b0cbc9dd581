"""Scores of faces by hand: light, what the network draws, and the answers that need none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from iid_residual.data.yale import direction_of
from iid_residual.method import Residual
from iid_residual.networks.pipe import build
from iid_residual.protocols import baselines, light, parts
from iid_residual.protocols.faces import FACES
from iid_residual.protocols.faces_light import FACES_LIGHT
from iid_residual.settings import ResidualOptions
from iid_residual.variants import DESIGNS, Design
from intrinsic_cli.api import Case, Runtime
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.registry import load_registry

SIDE = 48


def lamp(azimuth: float, elevation: float, even: float = 1.0) -> np.ndarray:
    nine = harmonics.harmonics(direction_of(azimuth, elevation)[None])[0]
    nine[0] *= even
    return np.tile(nine, 3)


def told(numbers: np.ndarray) -> dict[str, Any]:
    return {"faces": [{"sh": numbers.tolist()}, {"sh": [0.0] * 27}]}


def face(true_light: np.ndarray | None = None, **facts: Any) -> Case:
    rng = np.random.default_rng(3)
    albedo = rng.uniform(0.2, 0.8, (SIDE, SIDE, 3)).astype(np.float32)
    normals = np.zeros((SIDE, SIDE, 3), np.float32)
    normals[..., 2] = 1
    shading = np.linspace(0.2, 1, SIDE, dtype=np.float32)[:, None, None] * np.ones(
        (1, SIDE, 3), np.float32
    )
    if true_light is not None:
        facts["light"] = true_light
    truth = {"albedo": albedo, "normals": normals, "shading": shading}
    mask = np.ones((SIDE, SIDE), bool)
    return Case("face", albedo * shading, truth, mask, facts)


def test_light_is_as_far_off_as_it_is_turned() -> None:
    case = face(lamp(20, 10))
    scores = light.light_scores(case, {"light": told(lamp(20, 40))})
    assert scores["light_angle"] == pytest.approx(30, abs=1e-4)
    assert scores["light_angle_any"] == scores["light_angle"]
    same = light.light_scores(case, {"light": told(lamp(20, 10))})
    assert same["light_angle"] == pytest.approx(0, abs=1e-3)
    assert same["light_rmse"] == pytest.approx(0, abs=1e-9)


def test_all_27_numbers_count_in_the_error_of_the_light() -> None:
    other = lamp(0, 0)
    other[26] += 2
    scores = light.light_scores(face(lamp(0, 0)), {"light": told(other)})
    assert scores["light_rmse"] == pytest.approx(2 / 27**0.5)


def test_lights_without_direction_and_from_behind_are_counted_and_not_scored() -> None:
    pool = light.LeftOut()
    answer = {"light": told(lamp(0, 0))}
    found = []
    for true in (lamp(30, 0), lamp(170, 0), lamp(30, 0, even=50), np.zeros(27)):
        case = face(true)
        scores = light.light_scores(case, answer)
        pool.add(case, answer, scores)
        found.append(scores.keys() & {"light_angle", "light_angle_any"})
    assert found == [{"light_angle", "light_angle_any"}, {"light_angle_any"}, set(), set()]
    assert pool.scores() == {"light_left_out": 75}
    assert light.LeftOut().scores() == {}


def test_a_direction_may_be_all_that_is_known() -> None:
    case = face(towards=direction_of(-35, 15))
    scores = light.light_scores(case, {"light": told(lamp(-35, 5))})
    assert scores == {
        "light_angle": pytest.approx(10, abs=1e-4),
        "light_angle_any": pytest.approx(10, abs=1e-4),
    }
    assert light.light_scores(face(), {"light": told(lamp(0, 0))}) == {}
    assert light.light_scores(case, {"light": {"faces": []}}) == {}


def test_what_the_network_draws_is_compared_with_the_photo() -> None:
    case = face()
    answer = {"rebuilt": case.photo + np.float32(0.1), "rebuilt_by_harmonics": case.photo}
    scores = parts.rebuilt_scores(case, answer)
    assert scores["rebuilt_l1"] == pytest.approx(25.5 * 3**0.5, rel=1e-4)
    assert scores["rebuilt_rms"] == pytest.approx(25.5 * 3**0.5, rel=1e-4)
    assert scores["rebuilt_by_harmonics_rms"] == pytest.approx(0, abs=1e-4)


def test_large_photos_are_compared_small() -> None:
    """What a network cannot draw at its size is no error of it."""
    side = 4 * parts.SIDE
    stripes = np.tile(np.float32([0.2, 0.6]), side // 2)[None, :, None]
    photo = np.broadcast_to(stripes, (side, side, 3)).astype(np.float32)
    case = Case("stripes", photo, {}, np.ones((side, side), bool))
    scores = parts.rebuilt_scores(case, {"rebuilt": np.full_like(photo, 0.4)})
    assert scores["rebuilt_l1"] == pytest.approx(0, abs=1e-3)


def test_the_residual_is_measured_against_the_shading() -> None:
    case = face()
    answer = {
        "albedo": case.truth["albedo"],
        "shading": case.truth["shading"],
        "residual": case.truth["albedo"] * case.truth["shading"] * np.float32(0.5),
    }
    assert parts.residual_scores(case, answer)["residual_energy"] == pytest.approx(0.5, rel=1e-5)


def test_leakage_is_one_where_both_change_at_the_same_places() -> None:
    case = face()
    noise = np.random.default_rng(0).random((SIDE, SIDE, 1)).astype(np.float32)
    same = parts.residual_scores(case, {"albedo": noise, "shading": 2 * noise})
    assert same["leakage"] == pytest.approx(1)
    other = np.random.default_rng(1).random((SIDE, SIDE, 1)).astype(np.float32)
    apart = parts.residual_scores(case, {"albedo": noise, "shading": other})
    assert abs(apart["leakage"]) < 0.1
    flat = np.ones_like(noise)
    assert parts.residual_scores(case, {"albedo": noise, "shading": flat}) == {}


def test_the_layers_make_up_the_photo_with_the_residual() -> None:
    case = face()
    answer = {**case.truth, "residual": np.full_like(case.photo, -0.1)}
    darker = Case(case.name, case.photo - np.float32(0.1), case.truth, case.mask)
    scores = score_case(FACES, darker, answer)
    assert scores["reconstruction_with_residual_rms"] == pytest.approx(0, abs=1e-4)
    assert scores["reconstruction_rms"] == pytest.approx(25.5 * 3**0.5, rel=1e-4)
    assert scores["albedo_si_rmse"] == pytest.approx(0, abs=1e-6)
    assert scores["normals_angle_mean"] == pytest.approx(0, abs=1e-3)


def test_pixels_of_all_photos_are_pooled() -> None:
    case = face()
    tilt = np.deg2rad(21)
    tilted = np.zeros_like(case.photo)
    tilted[..., 0], tilted[..., 2] = np.sin(tilt), np.cos(tilt)
    pool = FACES.pool()
    for normals in (tilted, case.truth["normals"]):
        scores = score_case(FACES, case, {"normals": normals})
        pool.add(case, {"normals": normals}, scores)
    pooled = pool.scores()
    assert pooled["normals_pooled_angle_mean"] == pytest.approx(10.5, abs=1e-3)
    assert pooled["normals_pooled_within_20"] == 50
    assert "light_left_out" not in pooled


def test_what_is_outside_the_mask_does_not_count() -> None:
    case = face(lamp(10, 10))
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.02, case.photo.shape).astype(np.float32)
    answer = {name: layer + noise for name, layer in case.truth.items()}
    answer |= {"residual": noise, "rebuilt": case.photo + noise}
    case.mask = case.mask & (rng.random(case.mask.shape) > 0.2)
    spoilt = {
        name: np.where(case.mask[..., None], layer, np.float32(7)) for name, layer in answer.items()
    }
    assert score_case(FACES, case, spoilt) == pytest.approx(score_case(FACES, case, answer))


def test_light_fitted_to_a_face_comes_from_where_it_came() -> None:
    """The mean face itself, in its own skin, under a soft lamp."""
    blank = Case("blank", np.zeros((SIDE, SIDE, 3), np.float32), {}, np.ones((SIDE, SIDE), bool))
    normals = baselines.mean_face(blank)["normals"]
    true = lamp(35, 20, even=2)
    photo = np.maximum(harmonics.shade(normals, true), 0) * np.float32(baselines.SKIN)
    case = Case("mean", photo, {"normals": normals}, blank.mask, {"light": true})
    answer = baselines.fitted_light(case)
    scores = score_case(FACES, case, answer)
    assert scores["light_angle"] < 10
    assert scores["normals_angle_mean"] == pytest.approx(0, abs=0.1)
    assert scores["rebuilt_by_harmonics_l1"] < 3
    mirrored = Case("mirror", photo[:, ::-1], {}, blank.mask, {})
    there = light.towards(np.array(light.light_of(baselines.fitted_light(mirrored))))
    here = light.towards(np.array(light.light_of(answer)))
    assert there == pytest.approx(here * (-1, 1, 1), abs=0.02)


def test_the_mean_face_looks_at_the_viewer_and_has_a_nose() -> None:
    blank = Case("blank", np.zeros((64, 64, 3), np.float32), {}, np.ones((64, 64), bool))
    normals = baselines.mean_face(blank)["normals"]
    assert np.linalg.norm(normals, axis=2) == pytest.approx(1, abs=1e-3)
    left, right = normals[32, 14], normals[32, 50]
    assert left[0] < -0.3
    assert right[0] > 0.3
    assert normals[3, 32, 1] > 0.2, "the hair looks up"
    wide = Case("wide", np.zeros((30, 50, 3), np.float32), {}, np.ones((30, 50), bool))
    assert baselines.mean_face(wide)["normals"].shape == (30, 50, 3)


@pytest.mark.parametrize("protocol", [FACES, FACES_LIGHT], ids=lambda protocol: protocol.name)
def test_every_score_has_a_direction(protocol: Any) -> None:
    case = face(lamp(10, 10), scene="one")
    noise = np.random.default_rng(4).normal(0, 0.02, case.photo.shape).astype(np.float32)
    answer = {name: layer + noise for name, layer in case.truth.items()}
    answer |= {"residual": noise, "rebuilt": case.photo, "light": told(lamp(0, 0))}
    scores = score_case(protocol, case, answer)
    assert protocol.headline in scores
    pool = protocol.pool()
    for _ in range(2):
        pool.add(case, answer, scores)
    scores |= pool.scores()
    undirected = {"residual_energy", "light_left_out", "photo_constancy"}
    assert {key for key in scores if protocol.metric(key).better == "neither"} <= undirected
    assert {protocol.metric(key).unit for key in scores if "angle" in key} == {"°"}


def test_faces_under_many_lights_keep_their_paint() -> None:
    pool = FACES_LIGHT.pool()
    for number, gain in enumerate((1, 0.4)):
        case = face(lamp(10 * number, 0), scene="one")
        steady = {"albedo": case.truth["albedo"] * np.float32(gain), "light": told(lamp(0, 0))}
        scores = score_case(FACES_LIGHT, case, steady)
        assert scores["albedo_si_rmse"] == pytest.approx(0, abs=1e-6)
        assert scores["light_angle"] == pytest.approx(10 * number, abs=1e-3)
        pool.add(case, steady, scores)
    assert pool.scores()["constancy"] == pytest.approx(0, abs=1e-9)
    assert pool.scores()["light_left_out"] == 0


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_every_variant_is_scored(design: Design) -> None:
    """With what its network draws by all of its shading, and by harmonics where it has them."""
    runtime = Runtime(torch.device("cpu"), variant=design.name)
    state = {"pipe": build(design, "paper", 8).state_dict()}
    options = ResidualOptions(find="whole", rebuilt=True, size=32)
    decomposer = Residual().decomposer(state, options, runtime)
    spec = load_registry().methods["residual"]
    variant = spec.variant(design.name)
    case = face(lamp(10, 10))
    made = decompose_photo(decomposer, Photo(case.photo), runtime, variant.kinds)
    answer = {**made.layers, **made.records}
    assert set(variant.outputs(options)) <= answer.keys()
    scores = score_case(FACES, case, answer)
    wanted = {"normals_angle_mean", "albedo_si_rmse", "rebuilt_l1", "leakage"}
    if design.harmonic:
        wanted |= {"light_angle", "light_rmse", "rebuilt_by_harmonics_l1"}
    if design.adds and design.harmonic:
        wanted |= {"residual_energy"}
    assert wanted <= scores.keys()
    assert "rebuilt_by_harmonics_l1" in scores or not design.harmonic
    assert all(np.isfinite(value) for value in scores.values())
