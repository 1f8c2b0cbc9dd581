"""Highlights apart from paint."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from intrinsic_cli.api import Case
from intrinsic_cli.kit.data.synth.highlights import highlight_apart
from intrinsic_cli.kit.data.synth.scenes import open_glossy, open_synth
from intrinsic_cli.kit.score.highlights import highlight_scores
from intrinsic_cli.registry import load_registry, open_dataset

SHAPE = (4, 4, 3)
EVERYWHERE = np.ones((4, 4), np.bool_)


def even(value: float) -> NDArray[np.float32]:
    return np.full(SHAPE, value, np.float32)


def composed(paint: float, light: float, highlight: float) -> dict[str, NDArray[np.float32]]:
    """What is composed of one paint, light and highlight: the highlight counts as albedo."""
    reflected = paint * light + highlight
    photo = even(min(reflected, 1))
    mask = np.full((4, 4, 1), photo.max() < 0.98, np.float32)
    shading, albedo = even(light), even(reflected / light)
    return {"photo": photo, "albedo": albedo, "shading": shading, "mask": mask}


def test_paint_is_what_is_left_without_the_highlight() -> None:
    apart = highlight_apart(composed(0.5, 0.8, 0.3), even(0.3), EVERYWHERE)
    assert np.allclose(apart["albedo"], 0.5)
    assert np.allclose(apart["residual"], 0.3)
    assert apart["mask"].all()
    assert np.allclose(apart["albedo"] * apart["shading"] + apart["residual"], apart["photo"])


def test_a_highlight_adds_no_more_than_the_photo_can_hold_and_paint_below_it_is_known() -> None:
    apart = highlight_apart(composed(0.5, 0.8, 9.0), even(9.0), EVERYWHERE)
    assert np.allclose(apart["residual"], 0.6)
    assert np.allclose(apart["albedo"], 0.5)
    assert apart["mask"].all()
    nothing = highlight_apart(composed(0.5, 0.8, 9.0), even(9.0), ~EVERYWHERE)
    assert not nothing["mask"].any()


def test_what_clips_by_itself_stays_unknown() -> None:
    apart = highlight_apart(composed(0.9, 2.0, 0.0), even(0.0), EVERYWHERE)
    assert not apart["mask"].any()
    assert np.allclose(apart["residual"], 0)


def test_rendered_scenes_with_highlights_apart_are_scored_on_the_same_photos() -> None:
    usual, glossy = open_synth(), open_glossy()
    assert glossy.offers - usual.offers == {"residual"}
    shining = 0.0
    batches = zip(usual.batches("val", 8, 48), glossy.batches("val", 8, 48), strict=False)
    for one, other in batches:
        assert torch.equal(one["photo"], other["photo"])
        assert torch.equal(one["shading"], other["shading"])
        known = (one["mask"] > 0).expand(-1, 3, -1, -1)
        whole = one["albedo"] * one["shading"]
        parts = other["albedo"] * other["shading"] + other["residual"]
        difference = whole.clamp(max=1) - parts.clamp(max=1)
        assert difference[known].abs().max() < 1e-4
        assert float(other["residual"].min()) >= 0
        shining = max(shining, float(other["residual"].max()))
    assert shining > 0.02
    part = glossy.part(0, 2).under_two_lights()
    assert "residual" in next(iter(part.batches("train", 2, 32)))


def test_what_is_trained_on_has_more_highlights_than_were_rendered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shining() -> float:
        batches = islice(open_glossy().batches("train", 8, 48, seed=1), 4)
        return float(np.mean([(batch["residual"] > 0.02).float().mean() for batch in batches]))

    made_up = shining()
    assert made_up > 0.03
    monkeypatch.setattr("intrinsic_cli.kit.data.synth.compose.random_gloss", lambda *_: None)
    assert shining() < 0.7 * made_up


def test_the_dataset_has_a_name_and_its_cases_the_residual() -> None:
    glossy = open_dataset("glossy", load_registry())
    assert glossy.name == "glossy"
    assert {"albedo", "shading", "residual"} <= set(glossy.cases("val")[0].truth)
    assert "residual" not in open_synth().cases("val")[0].truth


def case(truth: NDArray[np.float32]) -> Case:
    layers = {"albedo": even(0.5), "shading": even(0.5), "residual": truth}
    return Case("made", even(0.25) + truth, layers, EVERYWHERE)


def test_scores_tell_what_is_left_of_highlights_and_what_was_added() -> None:
    truth = even(0.0)
    truth[:2] = 0.4
    shown = case(truth)
    assert highlight_scores(shown, {}) == {"highlights_left": 1.0, "highlights_added": 0.0}
    right = highlight_scores(shown, {"residual": truth})
    assert right == {"highlights_left": 0.0, "highlights_added": 0.0}
    everywhere = highlight_scores(shown, {"residual": even(0.1)})
    assert everywhere["highlights_left"] == pytest.approx(0.75)
    assert everywhere["highlights_added"] == pytest.approx(0.4)


def test_photos_without_highlights_or_their_truth_have_no_such_score() -> None:
    assert highlight_scores(case(even(0.0)), {}) == {}
    plain = Case("made", even(0.2), {"albedo": even(1), "shading": even(0.2)}, EVERYWHERE)
    assert highlight_scores(plain, {}) == {}
