"""Protocols: known constants on made-up cases, and (where the data is at hand) the published
constant baselines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from intrinsic_cli.api import Case, DataError, UsageError
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.kit.metrics import smoothness
from intrinsic_cli.kit.score import BASELINES, PROTOCOLS, exposure, score
from intrinsic_cli.kit.score.faces import NormalsPool
from intrinsic_cli.kit.score.judgements import ConstancyPool, SawPool, saw_counts
from intrinsic_cli.kit.score.published import GeometricMean


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


@pytest.mark.parametrize("protocol", ["mit", "synth", "folder"])
@pytest.mark.parametrize("coloured", [False, True])
def test_truth_at_any_scale_scores_zero(protocol: str, coloured: bool) -> None:
    case = made_up(coloured=coloured)
    figures = score(
        protocol, case, {"albedo": case.truth["albedo"] * 7, "shading": case.truth["shading"] * 0.1}
    )
    assert list(figures) == [
        "lmse",
        "albedo_si_mse",
        "albedo_lmse",
        "shading_si_mse",
        "shading_lmse",
    ]
    assert max(figures.values()) < 1e-9


def test_arap_truth_is_perfect_and_scale_counts_in_its_rmse() -> None:
    case = made_up()
    figures = score("arap-f", case, case.truth)
    assert figures["albedo_ssim"] == pytest.approx(1)
    assert max(figures["lmse"], figures["albedo_rmse"], figures["shading_rmse"]) < 1e-7
    bright = score("arap-f", case, {"albedo": case.truth["albedo"] * 2})
    assert bright["albedo_si_rmse"] < 1e-7
    assert bright["albedo_rmse"] > 0.1
    assert "lmse" not in bright


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "birds"])
def test_every_protocol_scores_its_baselines(protocol: str) -> None:
    case = made_up()
    case.truth = {**case.truth, "transmission": case.photo * 0.7, "reflection": case.photo * 0.3}
    for answer in PROTOCOLS[protocol].baselines.values():
        figures = score(protocol, case, answer(case))
        assert PROTOCOLS[protocol].headline in figures
        assert np.isfinite(list(figures.values())).all()


@pytest.mark.parametrize("protocol", [name for name, rules in PROTOCOLS.items() if rules.pool])
def test_pools_add_figures_of_the_whole_dataset(protocol: str) -> None:
    make = PROTOCOLS[protocol].pool
    assert make is not None
    pool = make()
    assert pool.figures() == {}
    for seed in range(2):
        case = made_up(seed=seed)
        layers = {**case.truth}
        pool.add(case, layers, score(protocol, case, layers))
    figures = pool.figures()
    assert figures or protocol == "faces"
    assert np.isfinite(list(figures.values())).all()


def test_saw_sums_counts_before_it_divides() -> None:
    cases = [made_up(seed=seed) for seed in range(3)]
    pool = SawPool("saw-u")
    for case in cases:
        pool.add(case, case.truth, {})
    counted = sum(saw_counts(case, case.truth, "saw-u") for case in cases)
    area = smoothness.average_precision(*smoothness.curve(torch.as_tensor(counted)))
    assert pool.figures()["ap"] == pytest.approx(area.item())
    assert SawPool("saw-2017").figures() == {}


def test_constancy_is_taken_within_a_scene_and_compared_with_the_photos() -> None:
    pool = ConstancyPool()
    one = made_up()
    for scene, lights in (("a", (1.0, 0.3)), ("b", (1.0,))):
        for light in lights:
            lit = one.photo * np.linspace(1, light, one.photo.shape[1], dtype=np.float32)[:, None]
            case = Case(f"{scene}-{light}", lit, {}, one.mask, {"scene": scene})
            pool.add(case, {"albedo": one.truth["albedo"]}, {})
    figures = pool.figures()
    assert figures["constancy"] < 1e-12 < figures["photo_constancy"]
    assert figures["constancy_ratio"] < 1e-9


def test_geometric_means() -> None:
    pool = GeometricMean()
    for value in (0.01, 0.04):
        pool.add(made_up(), {}, {"lmse": value})
    assert pool.figures() == {"lmse_geometric": pytest.approx(0.02)}


def faces_case(tilt: float = 0.0) -> Case:
    case = made_up()
    normals = np.zeros_like(case.photo)
    normals[..., 0], normals[..., 2] = np.sin(tilt), np.cos(tilt)
    return Case("face", case.photo, {**case.truth, "normals": normals}, case.mask)


def test_faces_measure_normals_and_reconstruction() -> None:
    case, tilted = faces_case(), faces_case(np.deg2rad(21))
    layers = {**tilted.truth, "residual": np.full_like(case.photo, 0.1)}
    figures = score("faces", case, layers)
    assert figures["normals_angle_mean"] == pytest.approx(21, abs=1e-3)
    assert (figures["normals_within_20"], figures["normals_within_22.5"]) == (0, 100)
    assert figures["albedo_si_rmse"] < 1e-7
    assert figures["reconstruction_l1"] < 1e-4
    assert figures["reconstruction_with_residual_rms"] == pytest.approx(
        255 * 0.1 * 3**0.5, rel=1e-5
    )
    pool = NormalsPool()
    pool.add(case, layers, figures)
    pool.add(case, case.truth, figures)
    pooled = pool.figures()
    assert pooled["normals_pooled_angle_mean"] == pytest.approx(10.5, abs=1e-3)
    assert pooled["normals_pooled_angle_std"] == pytest.approx(10.5, abs=1e-3)
    assert pooled["normals_pooled_within_20"] == 50


def test_silhouettes() -> None:
    case = made_up()
    disc = np.zeros((41, 52, 1), np.float32)
    disc[10:30, 10:30] = 1
    bird = Case("bird", case.photo, {"mask": disc}, np.ones((41, 52), bool))
    assert score("birds", bird, {"mask": disc[..., 0]}) == {
        "mask_error": 0,
        "iou": 1,
        "soft_iou": 1,
    }
    assert score("birds", bird, {"mask": disc * 0.4})["soft_iou"] == pytest.approx(0.4)
    assert score("birds", bird, {"mask": disc * 0.4})["iou"] == 0


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
    answer = BASELINES["constant shading"](case)
    assert score("mit", dim, answer) == pytest.approx(score("mit", case, answer))


def test_coloured_shading_is_averaged_where_the_truth_is_gray() -> None:
    case = made_up()
    tint = np.float32([1.5, 1.0, 0.5])
    assert score("mit", case, {"shading": case.truth["shading"] * tint})["shading_si_mse"] < 1e-9


def test_flat_layers_and_layers_without_truth_are_taken_as_they_come() -> None:
    case = made_up()
    layers = {"shading": case.truth["shading"][..., 0], "residual": case.photo}
    assert set(score("mit", case, layers)) == {"shading_si_mse", "shading_lmse"}


def test_exposure_brings_the_bright_end_inside_the_mask_to_one() -> None:
    image = np.linspace(0, 4, 1001, dtype=np.float32)[:, None, None]
    everywhere = np.ones((1001, 1), bool)
    assert exposure(image, everywhere) * 3.96 == pytest.approx(1)
    assert exposure(image, image[..., 0] <= 2) * 1.98 == pytest.approx(1)
    assert exposure(image * 0, everywhere) == exposure(image * 0, ~everywhere) == 1


def test_empty_mask_scores_nothing() -> None:
    case = made_up()
    case.mask = np.zeros_like(case.mask)
    assert score("mit", case, case.truth) == {}


def test_errors_say_what_is_wrong() -> None:
    case = made_up()
    with pytest.raises(UsageError, match="no protocol called 'mitt'"):
        score("mitt", case, case.truth)
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
    rows = [score("mit", case, BASELINES[baseline](case)) for case in cases]
    found = [
        np.mean([row[name] for row in rows]) for name in ("lmse", "albedo_si_mse", "shading_si_mse")
    ]
    assert found == pytest.approx(known, abs=5e-5)


def test_the_square_root_is_both_layers_of_the_photo() -> None:
    photo = np.array([[[0.25, 0.04, 0.0]]], np.float32)
    layers = BASELINES["square root"](Case("one", photo, {}, np.ones((1, 1), bool)))
    assert np.allclose(layers["albedo"] * layers["shading"], photo)
    assert np.allclose(layers["albedo"], layers["shading"])
