"""Scores of single protocols by hand."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_case import made_up

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score.barron import GeometricMean
from intrinsic_cli.kit.score.baselines import PRODUCTS
from intrinsic_cli.kit.score.constancy import ConstancyPool
from intrinsic_cli.kit.score.scale_invariant import MIT
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.kit.score.sintel import SINTEL
from intrinsic_cli.kit.score.whdr import WHDR, WHDR_ENCODED


def test_sintel_clips_the_scaled_prediction() -> None:
    case, _ = made_up()
    bright = np.full_like(case.truth["shading"], 0.5)
    bright[:4, :4] = 50
    truth = np.full_like(bright, 0.5)
    truth[:4, :4] = 1
    case.truth = {"shading": truth}
    scores = score_case(SINTEL, case, {"shading": bright})
    # α = ⟨p,g⟩/⟨p,p⟩; the spot is cut at 1, what it should be: only the rest is wrong.
    alpha = float((bright * truth).sum() / (bright * bright).sum())
    scaled = np.minimum(alpha * bright, 1)
    assert scores["shading_si_mse"] == pytest.approx(float(np.mean((scaled - truth) ** 2)))


def test_a_mean_of_both_factors_is_half_and_half() -> None:
    case, answer = made_up()
    scores = score_case(MIT, case, answer)
    assert scores["lmse"] == pytest.approx((scores["albedo_lmse"] + scores["shading_lmse"]) / 2)


def test_scale_of_a_dim_answer_does_not_count() -> None:
    case, answer = made_up()
    dim = {name: layer * np.float32(1e-4) for name, layer in answer.items()}
    assert score_case(MIT, case, dim) == pytest.approx(score_case(MIT, case, answer), rel=1e-4)


def test_geometric_means_of_small_scores() -> None:
    pool = GeometricMean()
    for value in (1e-6, 1e-8):
        pool.add(made_up()[0], {}, {"lmse": value})
    assert pool.scores()["lmse_geometric"] == pytest.approx(1e-7)


def test_constancy_counts_what_every_light_knows() -> None:
    rng = np.random.default_rng(0)
    paint = rng.uniform(0.2, 0.9, (6, 8, 3)).astype(np.float32)
    pool = ConstancyPool()
    for number in range(2):
        mask = np.ones((6, 8), bool)
        mask[number] = False
        albedo = np.where(mask[..., None], paint, np.float32(5 + number))
        photo = albedo * np.linspace(1, 0.2 + number, 8, dtype=np.float32)[:, None]
        case = Case(f"{number}", photo, {}, mask, {"scene": "one"})
        pool.add(case, {"albedo": albedo}, {})
    scores = pool.scores()
    assert scores["constancy"] == pytest.approx(0, abs=1e-12)
    assert scores["photo_constancy"] > 0.01
    assert scores["constancy_ratio"] == pytest.approx(0, abs=1e-9)
    pool = ConstancyPool()
    for number in range(2):
        off = paint.copy()
        off[:2] *= 1 + number
        case = Case(f"{number}", paint, {}, np.ones((6, 8), bool), {"scene": "one"})
        pool.add(case, {"albedo": off}, {})
    assert pool.scores()["constancy_ratio"] > 1e6, "photos that are all alike, albedos that are not"


def test_whdr_by_hand() -> None:
    row = np.tile(np.float32([[[0.10], [0.115], [0.2], [0.1]]]), (1, 1, 3))
    points = np.array([[[0.1, 0.5], [0.3, 0.5]], [[0.1, 0.5], [0.6, 0.5]]])
    told = {"points": points, "darker": np.array([0, 2]), "weights": np.array([1.0, 3.0])}
    case = Case("row", row, {}, np.ones((1, 4), bool), {"judgements": told})
    # The first pair differs by 15 %, the second is the wrong way round.
    assert score_case(WHDR, case, {"albedo": row}) == {"whdr": 1.0, "whdr_20": 0.75}
    assert score_case(WHDR_ENCODED, case, {"albedo": row})["whdr"] == 0.75, "codes are nearer"
    none = {"points": points[:0], "darker": np.zeros(0, int), "weights": np.zeros(0)}
    case.facts = {"judgements": none}
    assert score_case(WHDR, case, {"albedo": row}) == {}


def test_a_black_photo_has_black_square_roots() -> None:
    case = Case("x", np.float32([[[0, -1, 0.25]]]), {}, np.ones((1, 1), bool))
    assert PRODUCTS["square root"](case)["albedo"].tolist() == [[[0, 0, 0.5]]]
