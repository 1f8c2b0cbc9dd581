"""Steadiness of methods whose right answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.steady import Steady
from intrinsic_cli.kit.light.changes import CHANGES, UNCHANGED, Change
from intrinsic_cli.kit.score.baselines import constant_albedo, constant_shading, square_root
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.kit.score.steadiness import STEADY, SteadinessPool

Method = Callable[[Case], Any]
KINDS = {change.kind for change in CHANGES} - {UNCHANGED.kind}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """A smooth coloured photo and all its changes."""
    folder = tmp_path_factory.mktemp("photos")
    codes = np.random.default_rng(2).integers(30, 250, (5, 6, 3), np.uint8)
    Image.fromarray(codes).resize((48, 40), Image.Resampling.BICUBIC).save(folder / "a.png")
    return list(Steady(folder).cases())


def table(cases: list[Case], method: Method) -> dict[str, float]:
    """The scores of a whole table."""
    pool = SteadinessPool()
    for case in cases:
        answer = method(case)
        scores = score_case(STEADY, case, answer)
        pool.add(case, answer, scores)
    return pool.scores()


def test_every_kind_of_change_is_told(cases: list[Case]) -> None:
    scores = table(cases, constant_shading)
    expected = {f"{kind}_{score}" for kind in KINDS for score in ("change", "scale")}
    assert set(scores) == {*expected, "cast_left"}
    assert all(STEADY.metric(name).better == "lower" for name in scores)


def test_a_method_that_always_says_the_same_is_perfectly_steady(cases: list[Case]) -> None:
    scores = table(cases, constant_albedo)
    assert max(abs(value) for value in scores.values()) < 1e-6


def test_the_photo_itself_has_all_of_the_cast_and_of_the_exposure(cases: list[Case]) -> None:
    scores = table(cases, constant_shading)
    for name in ("quarter", "turn_90", "turn_180", "shift", "mirror"):
        assert scores[f"{name}_change"] == pytest.approx(0, abs=1e-4)
        assert scores[f"{name}_scale"] == pytest.approx(0, abs=1e-6)
    assert scores["brighter_scale"] == pytest.approx(1, abs=1e-5)
    assert scores["darker_scale"] == pytest.approx(1, abs=1e-5)
    assert scores["darker_change"] == pytest.approx(0, abs=1e-4)
    assert scores["cast_left"] == pytest.approx(100, abs=1e-3)
    assert scores["cast_change"] > 5


def test_the_square_root_has_half_of_it(cases: list[Case]) -> None:
    scores = table(cases, square_root)
    assert scores["darker_scale"] == pytest.approx(0.5, abs=1e-5)
    assert scores["cast_left"] == pytest.approx(50, abs=1e-3)


def unsteady(case: Case) -> Any:
    """White; of a photo upside down a fifth brighter left and a fifth darker right, as the photo
    stands; of quarters half as bright."""
    change: Change = case.facts["change"]
    albedo = np.ones_like(case.photo)
    if change.kind == "turn_180":
        middle = albedo.shape[1] // 2
        albedo[:, :middle] = 0.8
        albedo[:, middle:] = 1.2
    if change.kind == "quarter":
        albedo *= 0.5
    return {"albedo": albedo, "shading": case.photo}


def test_known_unsteadiness(cases: list[Case]) -> None:
    known = [Case(c.name, c.photo, {}, np.ones_like(c.mask), c.facts) for c in cases]
    scores = table([case for case in known if case.facts["change"].kind != "shift"], unsteady)
    scale = 1 / 1.04  # (1.2 + .8) / (1.2² + .8²)
    change = 100 * (abs(1.2 * scale - 1) + abs(0.8 * scale - 1)) / 2
    assert scores["turn_180_change"] == pytest.approx(change, rel=1e-5)
    assert scores["turn_180_scale"] == pytest.approx(-np.log2(scale), rel=1e-5)
    assert scores["quarter_change"] == pytest.approx(0, abs=1e-6)
    assert scores["quarter_scale"] == pytest.approx(1)
    assert scores["mirror_change"] == pytest.approx(0, abs=1e-6)
    assert "shift_change" not in scores


def test_what_was_not_answered_is_not_compared(cases: list[Case]) -> None:
    pool = SteadinessPool()
    for case in cases[1:]:
        pool.add(case, {"albedo": case.photo}, {})
    assert pool.scores() == {}, "the photo as it is was not answered"
    for case in cases:
        pool.add(case, {"shading": case.photo}, {})
        pool.add(case, {"albedo": case.photo * 0}, {})
    assert pool.scores() == {}, "no albedo, or a black one"


def test_a_gray_albedo_takes_no_cast_on(cases: list[Case]) -> None:
    def gray(case: Case) -> Any:
        return {"albedo": case.photo.mean(axis=2, keepdims=True), "shading": case.photo}

    assert table(cases, gray)["cast_left"] == 0
