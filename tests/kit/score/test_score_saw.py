"""Shading annotations in the wild: what weighs, and what the precision comes to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from made_up_case import made_up

from intrinsic_cli.api import Case
from intrinsic_cli.kit.score import saw
from intrinsic_cli.kit.score.saw import SAW_C, SAW_O, SAW_U, SawPool
from intrinsic_cli.kit.score.scoring import score_case


def saw_case() -> tuple[Case, dict[str, Any]]:
    case, answer = made_up(64, 70)
    rng = np.random.default_rng(1)
    labels = rng.choice([0, 1, 2, 100], (64, 70))
    ramp = np.linspace(0, 3, 70, dtype=np.float32)[:, None]
    case.photo = (case.photo * ramp).astype(np.float32)
    case.facts = {"labels": labels}
    return case, {"shading": answer["shading"].clip(0.01)}


def test_the_challenge_weighs_by_the_photo_and_the_others_do_not() -> None:
    case, answer = saw_case()
    hard = score_case(SAW_C, case, answer)["photo_error"]
    even = score_case(SAW_U, case, answer)["photo_error"]
    flat = Case(case.name, np.ones_like(case.photo), {}, case.mask, case.facts)
    assert hard != pytest.approx(even, abs=1e-6)
    assert score_case(SAW_U, flat, answer)["photo_error"] == even


def test_precision_is_taken_at_three_recalls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a share r of the smooth pixels and r² of the others is said to be smooth, precision is
    1 / (1 + r)."""
    share = torch.linspace(0, 1, 101, dtype=torch.float64)
    rows = [torch.stack([1 - part, part], dim=1) for part in (share**2, share**2, share)]
    counts = torch.stack(rows, dim=1)
    monkeypatch.setattr(saw, "saw_counts", lambda *given: counts)
    pool = SawPool("saw-u")
    pool.add(*saw_case(), {})
    scores = pool.scores()
    for percent in (30, 50, 70):
        expected = 1 / (1 + percent / 100)
        assert scores[f"precision_at_recall_{percent}"] == pytest.approx(expected, rel=1e-9)


def test_saw_o_does_not_balance_its_rows() -> None:
    case, answer = made_up()
    one = score_case(SAW_O, case, answer)
    assert one["ap"] == pytest.approx(1 - one["photo_error"])
    perfect = score_case(SAW_O, case, {"shading": case.truth["shading"]})
    # Seven tenths are smooth and count twice: had rows been balanced, it would be less than half.
    assert perfect["ap"] > one["ap"] > 0.7


def test_saw_o_of_shading_that_is_equally_steep_everywhere() -> None:
    """All is said to be smooth at once: of all, as much as counts for smooth. Until then nothing
    is, and that is worth nothing."""
    case, _ = made_up()
    share = 1.4 / 1.7
    flat = np.ones((48, 52, 1), np.float32)
    assert score_case(SAW_O, case, {"shading": flat})["ap"] == pytest.approx(share, abs=0.02)
    ramp = np.exp(0.02 * np.arange(52, dtype=np.float32))[None, :, None] * flat
    assert score_case(SAW_O, case, {"shading": ramp})["ap"] == pytest.approx(share / 2, abs=0.02)
