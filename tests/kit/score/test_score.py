"""Protocols: known constants on made-up cases, and (where the data is at hand) the published
constant baselines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.kit.metrics import smoothness
from intrinsic_cli.kit.score.barron import GeometricMean
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.constancy import ConstancyPool
from intrinsic_cli.kit.score.saw import SawPool, saw_counts
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.registry import load_registry, open_protocol

REGISTRY = load_registry()
PROTOCOLS = {
    name: open_protocol(name, REGISTRY)
    for name, spec in REGISTRY.protocols.items()
    if spec.target.startswith("intrinsic_cli.")
}


def score(name: str, case: Case, answer: Mapping[str, Any]) -> dict[str, float]:
    return score_case(PROTOCOLS[name], case, answer)


def made_up(height: int = 41, width: int = 52, coloured: bool = False, seed: int = 1) -> Case:
    rng = np.random.default_rng(seed)
    albedo = rng.uniform(0.1, 0.9, (height, width, 3)).astype(np.float32)
    shading = rng.uniform(0.2, 1.0, (height, width, 3 if coloured else 1)).astype(np.float32)
    mask = rng.random((height, width)) > 0.2
    truth = {"albedo": albedo, "shading": shading}
    return Case(
        "made up", albedo * shading, truth, mask, {**judgements(rng, height, width), "scene": "one"}
    )


def judgements(rng: np.random.Generator, height: int, width: int) -> dict[str, Any]:
    """What IIW and SAW know of a photo."""
    points, darker = rng.random((40, 2, 2)), rng.integers(0, 3, 40)
    labels = rng.choice([0, 1, 2, 100], (height, width))
    return {
        "judgements": {"points": points, "darker": darker, "weights": rng.random(40)},
        "labels": labels,
    }


def everything(case: Case, seed: int = 0) -> dict[str, Any]:
    """Truth of every kind for ``case``, and an answer that is not quite it."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=case.photo.shape).astype(np.float32)
    disc = (rng.random((*case.photo.shape[:2], 1)) > 0.5).astype(np.float32)
    case.truth = {**case.truth, "normals": normals, "silhouette": disc}
    case.truth |= {"transmission": case.photo * 0.7, "reflection": case.photo * 0.3}
    noise = np.float32(0.9) + rng.normal(0, 0.05, case.photo.shape).astype(np.float32)
    answer: dict[str, Any] = {name: layer * noise for name, layer in case.truth.items()}
    case.facts = {**case.facts, "keypoints": np.c_[rng.uniform(-1, 1, (15, 2)), np.ones(15)]}
    vertices = rng.uniform(-1, 1, (60, 2)).tolist()
    return {**answer, "residual": case.photo * 0.1, "projection": {"vertices": vertices}}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_score_has_a_direction(name: str) -> None:
    protocol = PROTOCOLS[name]
    case = made_up()
    answer = everything(case)
    scores = score(name, case, answer)
    assert protocol.headline in scores
    assert protocol.metric(protocol.headline).better == "lower"
    if protocol.pool:
        pool = protocol.pool()
        for seed in range(2):
            pool.add(case, everything(case, seed), scores)
        scores |= pool.scores()
    for word, better in (("ssim", "higher"), ("psnr", "higher"), ("within", "higher")):
        found = {key for key in scores if word in key and "dssim" not in key}
        assert {protocol.metric(key).better for key in found} <= {better}
    assert not [key for key in scores if protocol.metric(key).better == "neither"]


@pytest.mark.parametrize("protocol", ["mit", "synth", "folder"])
@pytest.mark.parametrize("coloured", [False, True])
def test_truth_at_any_scale_scores_zero(protocol: str, coloured: bool) -> None:
    case = made_up(coloured=coloured)
    scores = score(
        protocol, case, {"albedo": case.truth["albedo"] * 7, "shading": case.truth["shading"] * 0.1}
    )
    common = ["lmse", "albedo_si_mse", "albedo_lmse", "shading_si_mse", "shading_lmse"]
    hues = ["hue_error", "photo_hue_error", "hue_ratio"] if coloured else []
    edges = {"shadow_left", "paint_left"} if protocol == "synth" else set()
    assert [name for name in scores if name not in edges] == [*common, *hues]
    scores.pop("photo_hue_error", None)
    limit = 0.01 if coloured else 1e-6  # degrees: near 0 the cosine hardly tells of the angle
    assert max(map(abs, scores.values())) < limit


def test_hue_of_the_photo_is_the_cast_of_its_light() -> None:
    case = made_up(coloured=True)
    cast = np.array([1.5, 1.0, 0.5], np.float32)
    case.truth = {"albedo": np.ones_like(case.photo), "shading": np.ones_like(case.photo) * cast}
    case.photo = np.ones_like(case.photo) * cast
    degrees = np.degrees(np.arccos(3 / np.sqrt(3 * 3.5)))
    lazy = score("mit", case, {"albedo": case.photo})
    assert lazy["hue_error"] == lazy["photo_hue_error"] == pytest.approx(degrees, abs=1e-3)
    assert lazy["hue_ratio"] == pytest.approx(1)
    root = score("mit", case, {"albedo": np.sqrt(case.photo)})
    assert 0.4 < root["hue_ratio"] < 0.6
    assert "hue_error" not in score("mit", case, {"shading": case.photo})


def test_strayed_edges_of_rendered_truth() -> None:
    """One paint under two lights beside two paints under one light."""
    light, paint = np.ones((64, 64, 3), np.float32), np.ones((64, 64, 3), np.float32)
    light[:32, :32] = 0.2
    paint[32:, 32:] = 0.3
    case = Case(
        "edges", light * paint, {"albedo": paint, "shading": light}, np.ones((64, 64), bool)
    )
    perfect = score("synth", case, case.truth)
    root = score("synth", case, {name: np.sqrt(case.photo) for name in case.truth})
    for name in ("shadow_left", "paint_left"):
        assert perfect[name] == pytest.approx(0, abs=1e-9)
        assert root[name] == pytest.approx(0.5, abs=1e-3)
        assert name not in score("folder", case, case.truth)


def test_arap_truth_is_perfect_and_scale_counts_in_its_rmse() -> None:
    case = made_up()
    scores = score("arap-f", case, case.truth)
    assert scores["albedo_ssim"] == pytest.approx(1)
    assert max(scores["lmse"], scores["albedo_rmse"], scores["shading_rmse"]) < 1e-7
    bright = score("arap-f", case, {"albedo": case.truth["albedo"] * 2})
    assert bright["albedo_si_rmse"] < 1e-7
    assert bright["albedo_rmse"] > 0.1
    assert "lmse" not in bright


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_scores_its_baselines(protocol: str) -> None:
    case = made_up()
    case.truth = {**case.truth, "transmission": case.photo * 0.7, "reflection": case.photo * 0.3}
    for answer in PROTOCOLS[protocol].baselines.values():
        scores = score(protocol, case, answer(case))
        assert PROTOCOLS[protocol].headline in scores
        assert np.isfinite(list(scores.values())).all()
        assert not [name for name in scores if not PROTOCOLS[protocol].metric(name).about]


@pytest.mark.parametrize(
    "protocol", [name for name, protocol in PROTOCOLS.items() if protocol.pool]
)
def test_pools_add_scores_of_the_whole_dataset(protocol: str) -> None:
    make = PROTOCOLS[protocol].pool
    assert make is not None
    pool = make()
    assert pool.scores() == {}
    for seed in range(2):
        case = made_up(seed=seed)
        answer = everything(case, seed)
        pool.add(case, answer, score(protocol, case, answer))
    scores = pool.scores()
    assert scores
    assert np.isfinite(list(scores.values())).all()
    assert not [name for name in scores if not PROTOCOLS[protocol].metric(name).about]
    assert pool.scores() == scores, "asking twice changes nothing"


def test_saw_sums_counts_before_it_divides() -> None:
    cases = [made_up(seed=seed) for seed in range(3)]
    pool = SawPool("saw-u")
    for case in cases:
        pool.add(case, case.truth, {})
    counted = sum(saw_counts(case, case.truth, "saw-u") for case in cases)
    area = smoothness.average_precision(*smoothness.curve(torch.as_tensor(counted)))
    assert pool.scores()["ap"] == pytest.approx(area.item())
    assert SawPool("saw-2017").scores() == {}


def test_constancy_is_taken_within_a_scene_and_compared_with_the_photos() -> None:
    pool = ConstancyPool()
    one = made_up()
    for scene, lights in (("a", (1.0, 0.3)), ("b", (1.0,))):
        for light in lights:
            lit = one.photo * np.linspace(1, light, one.photo.shape[1], dtype=np.float32)[:, None]
            case = Case(f"{scene}-{light}", lit, {}, one.mask, {"scene": scene})
            pool.add(case, {"albedo": one.truth["albedo"]}, {})
    scores = pool.scores()
    assert scores["constancy"] < 1e-12 < scores["photo_constancy"]
    assert scores["constancy_ratio"] < 1e-9


def test_geometric_means() -> None:
    pool = GeometricMean()
    for value in (0.01, 0.04):
        pool.add(made_up(), {}, {"lmse": value})
    assert pool.scores() == {"lmse_geometric": pytest.approx(0.02)}


def test_published_protocols_know_no_scale() -> None:
    case = made_up()
    layers = {name: layer * 0.3 for name, layer in case.truth.items()}
    for protocol in ("mit-barron", "arap-1k", "sintel"):
        assert max(score(protocol, case, layers).values()) < 1e-7


def test_scale_of_the_truth_does_not_count() -> None:
    case = made_up()
    dim = Case(
        case.name, case.photo, {name: layer * 0.05 for name, layer in case.truth.items()}, case.mask
    )
    answer = PRODUCTS["constant shading"](case)
    assert score("mit", dim, answer) == pytest.approx(score("mit", case, answer))


def test_coloured_shading_is_averaged_where_the_truth_is_gray() -> None:
    case = made_up()
    tint = np.float32([1.5, 1.0, 0.5])
    assert score("mit", case, {"shading": case.truth["shading"] * tint})["shading_si_mse"] < 1e-9


def test_flat_layers_and_layers_without_truth_are_taken_as_they_come() -> None:
    case = made_up()
    layers = {"shading": case.truth["shading"][..., 0], "residual": case.photo}
    assert set(score("mit", case, layers)) == {"shading_si_mse", "shading_lmse"}


def test_empty_mask_scores_nothing() -> None:
    case = made_up()
    case.mask = np.zeros_like(case.mask)
    assert score("mit", case, case.truth) == {}


def test_errors_say_what_is_wrong() -> None:
    case = made_up()
    with pytest.raises(DataError, match="albedo of made up is 52×40 and its photo 52×41"):
        score("mit", case, {"albedo": case.truth["albedo"][1:]})


@pytest.mark.skipif(
    "IID_MIT" not in os.environ, reason="IID_MIT does not name a folder of ten MIT lab objects"
)
@pytest.mark.parametrize(
    ("baseline", "known"),
    [("constant shading", (0.0556, 0.1046, 0.0848)), ("constant albedo", (0.0727, 0.0854, 0.0963))],
)
def test_known_baselines_of_mit_lab(baseline: str, known: tuple[float, ...]) -> None:
    cases = Mit(Path(os.environ["IID_MIT"]), exact=True).cases()
    rows = [score("mit", case, PRODUCTS[baseline](case)) for case in cases]
    found = [
        np.mean([row[name] for row in rows]) for name in ("lmse", "albedo_si_mse", "shading_si_mse")
    ]
    assert found == pytest.approx(known, abs=5e-5)


def test_the_square_root_is_both_layers_of_the_photo() -> None:
    photo = np.array([[[0.25, 0.04, 0.0]]], np.float32)
    layers = PRODUCTS["square root"](Case("one", photo, {}, np.ones((1, 1), bool)))
    assert np.allclose(layers["albedo"] * layers["shading"], photo)
    assert np.allclose(layers["albedo"], layers["shading"])
