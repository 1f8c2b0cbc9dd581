"""Evaluation with made-up methods on a made-up dataset."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluated_methods import REGISTRY

from intrinsic_cli.api import (
    Case,
    DataError,
    IidError,
    Silent,
    UsageError,
    WeightsError,
)
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.changes import CHANGES
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
    request = EvaluateRequest(("gray", "twin", "gray"), lab, limit=2, options=("gain=3",))
    report = evaluate(request, registry=REGISTRY)
    assert [row["method"] for row in report.rows][:3] == ["gray", "twin", "constant shading"]
    assert [row["cases"] for row in report.rows] == [2] * 5
    assert report.rows[1]["lmse"] == report.rows[0]["lmse"]


def test_limit_counts_photos_where_a_photo_is_several_cases(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), rng.integers(20, 200, (24, 32, 3), np.uint8))
    request = EvaluateRequest(("retinex",), f"steady:{tmp_path}", limit=1)
    row = evaluate(request).rows[0]
    assert row["cases"] == len(CHANGES)
    assert {"shift_change", "cast_left"} <= row.keys()


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
    fails(UsageError, "cannot serve several", "gray", "twin", weights=("x",))
    fails(WeightsError, "untrained", "untrained")
    fails(UsageError, "not a folder for pictures", save=tmp_path / "file")
    fails(UsageError, "no split called 'test'", split="test")
    fails(DataError, "mit has no 'train' split: all its 3 photos are in 'val'", split="train")
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


def test_both_splits_together() -> None:
    def names(split: str) -> list[str]:
        request = EvaluateRequest(("gray",), "synth", split=split, limit=200, device="cpu")
        report = evaluate(request, registry=REGISTRY)
        return [case["case"] for case in report.cases if case["method"] == "gray"]

    assert names("all") == names("train") + names("val")


def test_a_dataset_with_one_split_is_all_of_it(lab: str) -> None:
    report = evaluate(EvaluateRequest(("gray",), lab, split="all"), registry=REGISTRY)
    assert report.rows[0]["cases"] == 3
    assert report.split == "all"


@pytest.mark.parametrize(("there", "asked"), [("train", "val"), ("val", "train")])
def test_a_folder_too_small_to_split_says_so(
    there: str, asked: str, lab: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(Mit):
        def cases(self, split: Split = "val") -> Sequence[Case]:
            return super().cases("val")[:1] if split == there else []

    source = Small(Path(lab.partition(":")[2]))
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.run.open_dataset", lambda *_: source)
    with pytest.raises(DataError) as caught:
        evaluate(EvaluateRequest(("gray",), lab, split=asked), registry=REGISTRY)
    said = f"mit has no {asked!r} split: its only photo is in {there!r}"
    assert (caught.value.message, caught.value.hint) == (said, "score them with --split all")
    report = evaluate(EvaluateRequest(("gray",), lab, split=there), registry=REGISTRY)
    assert report.rows[0]["cases"] == 1


def test_data_that_does_not_belong_together_cannot_be_measured(tmp_path: Path) -> None:
    for layer in ("photo", "albedo", "shading"):
        (tmp_path / layer).mkdir()
        for number in range(12):
            picture = np.full((32, 32, 3), 20 * number, np.uint8)
            cv2.imwrite(str(tmp_path / layer / f"{layer}{number}.png"), picture)
    with pytest.raises(DataError, match="do not belong together"):
        evaluate(EvaluateRequest(("gray",), f"unpaired:{tmp_path}"), registry=REGISTRY)
