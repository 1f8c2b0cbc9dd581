"""A plugin's own protocol and dataset go through ``iid evaluate`` like the house's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import Notes
from evaluated_methods import BRIGHTNESS, REGISTRY

from intrinsic_cli.api import Case, Metric, UsageError
from intrinsic_cli.cli import output
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.requests import EvaluateReport, EvaluateRequest
from intrinsic_cli.runs.evaluate.candidates import BaselineCandidate, baselines_of
from intrinsic_cli.runs.evaluate.rows import TableRow
from intrinsic_cli.runs.evaluate.run import evaluate
from intrinsic_cli.runs.evaluate.score_cache import ScoreCache


@pytest.fixture
def own(lab: str) -> str:
    """The objects of ``lab`` under the plugin's protocol."""
    return lab.replace("mit:", "lab:")


def run(data: str, *methods: str, **more: Any) -> EvaluateReport:
    return evaluate(EvaluateRequest(methods, data, device="cpu", **more), registry=REGISTRY)


def test_scores_baselines_and_pool_are_the_plugins(own: str) -> None:
    report = run(own, "gray", options=("gain=3",))
    assert report.protocol == "brightness"
    assert report.about == {"summary": "how much light there is", "source": "nobody's"}
    gray, darkness = report.rows
    assert (gray["method"], darkness["method"]) == ("gray", "darkness")
    values = [case["brightness"] for case in report.cases if case["method"] == "gray"]
    assert gray["brightness"] == pytest.approx(np.mean(values))
    assert gray["brightest"] == max(values) > gray["brightness"]
    assert (darkness["brightness"], darkness["brightest"]) == (0, 0)
    assert "brightest" not in gray["intervals"], "it is no mean over images"


def test_options_reach_what_is_scored(own: str) -> None:
    plain, bright = (run(own, "gray", options=(f"gain={gain}",)).rows[0] for gain in (1, 3))
    assert bright["brightness"] == pytest.approx(3 * plain["brightness"])


def test_a_method_may_be_measured_with_other_options_than_its_defaults(own: str) -> None:
    notes = Notes()
    request = EvaluateRequest(("gray", "bold"), own, device="cpu")
    plain, bold, _ = evaluate(request, notes, REGISTRY).rows
    assert bold["brightness"] == pytest.approx(2 * plain["brightness"])
    assert notes.texts == ["bold is measured with gain=2.0"]
    given = run(own, "bold", options=("gain=3",)).rows[0]
    assert given["brightness"] == pytest.approx(3 * plain["brightness"]), "the user has said so"


def test_meshes_and_records_are_part_of_the_answer(own: str) -> None:
    row = run(own, "sculptor").rows[0]
    assert (row["strength"], row["corners"]) == (2.5, 3)


def test_the_report_says_which_way_is_better_and_in_which_unit(own: str) -> None:
    report = run(own, "sculptor")
    assert report.metrics["brightness"] == {"better": "higher", "unit": "lx", "about": "light"}
    assert report.metrics["strength"] == {"better": "neither", "unit": "", "about": ""}
    of_seconds = {"better": "lower", "unit": "", "about": "for the answer to one photo"}
    assert report.metrics["seconds"] == of_seconds
    assert set(report.metrics) < set(report.rows[0])
    assert json.loads(output.text(report))["metrics"]["brightest"]["unit"] == "lx"


def test_pictures_show_what_the_protocol_wants_worst_first(own: str, tmp_path: Path) -> None:
    run(own, "gray", save=tmp_path / "out")
    sheet = cv2.imread(str(tmp_path / "out" / "gray.worst.png"))
    assert sheet.shape[1] == 3 * 260 + 4, "photo, shading, true shading"


def test_a_pool_may_have_pictures_of_its_own(own: str, tmp_path: Path) -> None:
    report = run(own, "gray", save=tmp_path / "out")
    values = [case["brightness"] for case in report.cases if case["method"] == "gray"]
    steps = cv2.imread(str(tmp_path / "out" / "gray.steps.png"))
    assert steps.shape == (5, len(values), 3)
    assert steps[0, :, 0].tolist() == [int(99 * value) for value in values]


def test_where_higher_is_better_the_lowest_is_the_worst(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, list[str]] = {}

    def sheet(rows: Any, labels: Any, titles: list[str]) -> Any:
        written[str(len(written))] = titles
        return np.zeros((1, 1, 3), np.uint8)

    monkeypatch.setattr("intrinsic_cli.kit.files.contact_sheet.contact_sheet", sheet)
    report = run(own, "gray", save=tmp_path / "out")
    values: Mapping[str, float] = {
        case["case"]: case["brightness"] for case in report.cases if case["method"] == "gray"
    }
    worst, best = written.values()
    assert [title.split()[0] for title in worst] == sorted(values, key=lambda name: values[name])
    assert best == worst[::-1]
    assert f"brightness {min(values.values()):.4f}" in worst[0]


def test_a_protocol_that_nobody_brings(lab: str) -> None:
    with pytest.raises(UsageError, match="no protocol called 'brihgtness'") as caught:
        run(lab.replace("mit:", "lost:"), "gray")
    assert "did you mean 'brightness'?" in caught.value.hint


def test_a_metric_stands_for_every_score_that_ends_like_it() -> None:
    metrics = {"mse": Metric("lower"), "si_mse": Metric("higher", "%"), "ap": Metric("higher")}
    protocol = replace(BRIGHTNESS, metrics=metrics)
    assert protocol.metric("albedo_mse") == Metric("lower")
    assert protocol.metric("albedo_si_mse") == Metric("higher", "%"), "the longest first"
    assert protocol.metric("ap") == Metric("higher")
    assert protocol.metric("cap") == Metric("neither"), "whole words"


class FortyTwo:
    """Knows the brightness of everything together."""

    def add(self, case: Case, answer: Any, scores: Any) -> None: ...
    def scores(self) -> dict[str, float]:
        return {"brightness": 42.0}


def test_what_is_pooled_takes_the_place_of_the_mean() -> None:
    protocol = replace(BRIGHTNESS, pool=FortyTwo)
    (darkness,) = baselines_of(protocol)
    row = TableRow(darkness, protocol, ScoreCache())
    for name in ("one", "two"):
        photo = np.ones((2, 2, 3), np.float32)
        assert row.take(Case(name, photo, {"shading": photo}, np.ones((2, 2), bool)))
    summary = row.summary(seed=0)
    assert summary["brightness"] == 42
    assert "brightness" not in summary["intervals"]


def test_scores_are_remembered_for_one_protocol_alone(tmp_path: Path) -> None:
    photo = np.ones((2, 2, 3), np.float32)
    case = Case("one", photo, {"shading": photo}, np.ones((2, 2), bool))
    candidate = BaselineCandidate("told", lambda case: {"shading": case.photo}, {"of": "told"})
    for name, value in (("single", 1.0), ("double", 2.0), ("double", 2.0)):
        protocol = replace(
            BRIGHTNESS,
            name=name,
            pool=None,
            score=lambda case, answer, value=value: {"brightness": value},
        )
        row = TableRow(candidate, protocol, ScoreCache(tmp_path / "t.cases.jsonl"))
        row.take(case)
        assert row.summary(seed=0)["brightness"] == value
    assert len(ScoreCache(tmp_path / "t.cases.jsonl")) == 2
