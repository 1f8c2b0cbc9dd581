"""Evaluation with made-up methods on a made-up dataset."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_methods import REGISTRY

from intrinsic_cli.api import (
    DataError,
    IidError,
    Silent,
    UsageError,
    WeightsError,
)
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.run import evaluate


class Listener(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, by: int = 1, facts: Any = None) -> None:
        self.done += by


def test_rows_of_methods_and_baselines(lab: str) -> None:
    listener = Listener()
    report = evaluate(EvaluateRequest(("gray",), lab, device="cpu"), listener, REGISTRY)
    assert report.protocol == "mit"
    rows = {row["method"]: row for row in report.rows}
    assert list(rows) == ["gray", "constant shading", "constant albedo", "square root"]
    assert all(row["protocol"] == "mit" and row["cases"] == 3 for row in rows.values())
    # One colour an object: all that varies is light, as the gray method believes.
    assert rows["gray"]["lmse"] < 1e-4 < rows["constant shading"]["lmse"]
    assert listener.done == 3
    json.dumps([report.rows, report.cases])


def test_means_are_means_of_the_cases(lab: str) -> None:
    report = evaluate(EvaluateRequest(("gray",), lab), registry=REGISTRY)
    for row in report.rows:
        mine = [case for case in report.cases if case["method"] == row["method"]]
        assert [case["case"] for case in mine] == ["apple", "box", "cup"]
        for name in ("lmse", "albedo_si_mse", "shading_lmse"):
            assert row[name] == pytest.approx(np.mean([case[name] for case in mine]))


def test_limit_options_and_several_methods(lab: str) -> None:
    request = EvaluateRequest(("gray", "proud", "gray"), lab, limit=2, options=("gain=3",))
    report = evaluate(request, registry=REGISTRY)
    assert [row["method"] for row in report.rows][:2] == ["gray", "proud"]
    assert report.rows[0]["cases"] == 2
    assert "brightness" not in report.rows[0]
    assert report.rows[1]["brightness"] > 1.0  # three times the exposed gray
    assert report.rows[1]["lmse"] == report.rows[0]["lmse"]


def test_worst_and_best_are_drawn(lab: str, tmp_path: Path) -> None:
    listener = Listener()
    evaluate(EvaluateRequest(("gray",), lab, save=tmp_path / "out"), listener, REGISTRY)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "gray.best.png",
        "gray.worst.png",
    ]
    assert cv2.imread(str(tmp_path / "out" / "gray.worst.png")).shape[1] == 5 * 260 + 4
    assert len(listener.notes) == 2


def test_mistakes_are_found_before_any_work(lab: str, tmp_path: Path) -> None:
    def fails(kind: type[IidError], match: str, *methods: str, **more: Any) -> None:
        with pytest.raises(kind, match=match):
            evaluate(
                EvaluateRequest(methods or ("gray",), **{"data": lab, **more}), registry=REGISTRY
            )

    (tmp_path / "file").touch()
    fails(UsageError, "no method called 'grey'", "grey")
    fails(UsageError, "no setting called 'gian'", options=("gian=3",))
    fails(UsageError, "cannot serve several", "gray", "proud", weights=("x",))
    fails(WeightsError, "untrained", "untrained")
    fails(UsageError, "not a folder for pictures", save=tmp_path / "file")
    fails(UsageError, "no split called 'test'", split="test")
    fails(DataError, "no 'train' split", split="train")
    fails(DataError, "nothing at", data=f"mit:{tmp_path / 'absent'}")


def test_cases_without_a_valid_pixel_are_told(lab: str) -> None:
    cv2.imwrite(
        str(Path(lab.partition(":")[2]) / "box" / "mask.png"), np.zeros((32, 40), np.uint16)
    )
    listener = Listener()
    report = evaluate(EvaluateRequest(("gray",), lab), listener, REGISTRY)
    assert [row["cases"] for row in report.rows] == [2, 2, 2, 2]
    assert listener.notes == ["box: nothing to score"]


def test_one_failing_case_is_reported_and_the_others_are_scored(lab: str) -> None:
    report = evaluate(EvaluateRequest(("picky", "gray"), lab), registry=REGISTRY)
    assert [row["cases"] for row in report.rows] == [2, 3, 3, 3, 3]
    (failure,) = report.failures
    assert (failure.method, failure.case) == ("picky", "box")
    assert failure.error == "unexpected ZeroDivisionError: division by zero"


def test_where_all_cases_fail_the_first_error_is_raised(lab: str) -> None:
    for name in ("apple", "cup"):
        shutil.rmtree(Path(lab.partition(":")[2]) / name)
    with pytest.raises(IidError, match="ZeroDivisionError") as caught:
        evaluate(EvaluateRequest(("picky",), lab), registry=REGISTRY)
    assert isinstance(caught.value.__cause__, ZeroDivisionError), "--debug shows where"
