"""Protocols: known constants on made-up cases, and (where the data is at hand) the published constant baselines."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import Case, DataError, UsageError
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.kit.score import BASELINES, PROTOCOLS, exposure, score


def made_up(height: int = 41, width: int = 52, coloured: bool = False) -> Case:
    rng = np.random.default_rng(1)
    albedo = rng.uniform(0.1, 0.9, (height, width, 3)).astype(np.float32)
    shading = rng.uniform(0.2, 1.0, (height, width, 3 if coloured else 1)).astype(np.float32)
    mask = rng.random((height, width)) > 0.2
    return Case("made up", albedo * shading, {"albedo": albedo, "shading": shading}, mask)


@pytest.mark.parametrize("protocol", ["mit", "synth", "folder"])
@pytest.mark.parametrize("coloured", [False, True])
def test_truth_at_any_scale_scores_zero(protocol: str, coloured: bool) -> None:
    case = made_up(coloured=coloured)
    figures = score(protocol, case, {"albedo": case.truth["albedo"] * 7, "shading": case.truth["shading"] * 0.1})
    assert list(figures) == ["lmse", "albedo_si_mse", "albedo_lmse", "shading_si_mse", "shading_lmse"]
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


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_scores_every_baseline(protocol: str) -> None:
    case = made_up()
    for answer in BASELINES.values():
        figures = score(protocol, case, answer(case))
        assert PROTOCOLS[protocol].headline in figures
        assert np.isfinite(list(figures.values())).all()


def test_scale_of_the_truth_does_not_count() -> None:
    case = made_up()
    dim = Case(case.name, case.photo, {name: layer * 0.05 for name, layer in case.truth.items()}, case.mask)
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


@pytest.mark.skipif("IID_MIT" not in os.environ, reason="IID_MIT does not name a folder of ten MIT lab objects")
@pytest.mark.parametrize(
    ("baseline", "known"),
    [("constant shading", (0.0556, 0.1046, 0.0848)), ("constant albedo", (0.0727, 0.0854, 0.0963))],
)
def test_known_baselines_of_mit_lab(baseline: str, known: tuple[float, ...]) -> None:
    cases = Mit(Path(os.environ["IID_MIT"]), exact=True).cases()
    rows = [score("mit", case, BASELINES[baseline](case)) for case in cases]
    found = [np.mean([row[name] for row in rows]) for name in ("lmse", "albedo_si_mse", "shading_si_mse")]
    assert found == pytest.approx(known, abs=5e-5)
