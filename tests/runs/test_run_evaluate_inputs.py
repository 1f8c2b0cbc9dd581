"""Evaluation of what was brought along: datasets with holes, settings, predictions, what a killed
run knew."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judged_methods import CALLS, REGISTRY

from intrinsic_cli.api import (
    DataError,
    UsageError,
)
from intrinsic_cli.kit.data.mit import open_mit
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.run import evaluate


class Shaky:
    """A dataset whose second case cannot be read."""

    name, protocol, offers = "shaky", "mit", frozenset({"photo"})

    def __init__(self, path: Path, mapped: bool) -> None:
        self.good = list(open_mit(path).cases())
        self.mapped = mapped

    def cases(self, split: str = "val") -> Any:
        return map(self._case, range(3)) if self.mapped else (self._case(i) for i in range(3))

    def _case(self, number: int) -> Any:
        if number == 1:
            raise DataError("box.png is damaged")
        return self.good[number]


@pytest.mark.parametrize("mapped", [True, False])
def test_a_case_that_cannot_be_read(
    lab: str, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Shaky(Path(lab.partition(":")[2]), mapped)
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.run.open_dataset", lambda *_: source)
    report = evaluate(EvaluateRequest(("gray",), lab), registry=REGISTRY)
    assert report.rows[0]["cases"] == (2 if mapped else 1)
    assert report.failures[0].case == "case 2"
    assert report.failures[0].error.startswith("box.png is damaged")
    assert ("cases after it were not read" in report.failures[0].error) is not mapped


def test_options_weights_and_config_find_their_method(lab: str, tmp_path: Path) -> None:
    def brightness(*methods: str, **more: Any) -> list[float]:
        report = evaluate(EvaluateRequest(methods, lab, limit=1, **more), registry=REGISTRY)
        return [row.get("brightness", row["lmse"]) for row in report.rows[: len(methods)]]

    plain = brightness("proud")[0]
    assert brightness("proud", options=("gain=2",))[0] == pytest.approx(2 * plain)
    assert brightness("proud", "gray", options=("gray.gain=9", "proud.gain=3"))[0] == pytest.approx(
        3 * plain
    )
    config = tmp_path / "c.toml"
    config.write_text('gain = 5\n[proud]\ngain = 2\n["twin:small"]\ngain = 7\n')
    assert brightness("proud", config=config)[0] == pytest.approx(2 * plain)
    with pytest.raises(UsageError, match="not evaluated"):
        brightness("proud", options=("gray.gain=3",))
    with pytest.raises(UsageError, match="gray: no setting called 'gian'"):
        brightness("gray", "proud", options=("gian=3",))
    config.write_text("[poud]\ngain = 2\n")
    with pytest.raises(UsageError, match="no method called 'poud'"):
        brightness("proud", config=config)


def test_intervals_stand_beside_the_means(lab: str) -> None:
    report = evaluate(EvaluateRequest(("gray",), lab), registry=REGISTRY)
    for row in report.rows:
        low, high = row["intervals"]["lmse"]
        assert low <= row["lmse"] <= high
        assert "seconds" not in row["intervals"]
    assert report.resampling == {"level": 0.95, "resamples": 2000, "seed": 0, "over": "images"}
    assert report.about["source"]
    again = evaluate(EvaluateRequest(("gray",), lab), registry=REGISTRY)
    assert [row["intervals"] for row in again.rows] == [row["intervals"] for row in report.rows]


def test_predictions_stand_beside_methods(lab: str, tmp_path: Path) -> None:
    truth, out = Path(lab.partition(":")[2]), tmp_path / "tool"
    out.mkdir()
    for place in truth.iterdir():
        for name, label in (("reflectance", "r"), ("shading", "s")):
            shutil.copy(place / f"{name}.png", out / f"{place.name}-{label}.png")
    request = EvaluateRequest(
        ("gray",), lab, predictions=(str(out),), predictions_encoding="linear"
    )
    rows = evaluate(request, registry=REGISTRY).rows
    assert [row["method"] for row in rows] == [
        "gray",
        "tool",
        "constant shading",
        "constant albedo",
        "square root",
    ]
    assert rows[1]["lmse"] < 1e-9, "the truth itself"
    assert "seconds" not in rows[1]

    (out / "box-s.png").unlink()
    report = evaluate(request, registry=REGISTRY)
    assert [row["cases"] for row in report.rows] == [3, 2, 3, 3, 3]
    assert report.failures[0].missing == ("box-s.png",)

    for path in out.iterdir():
        path.rename(out / f"x{path.name}")
    with pytest.raises(DataError, match=r"tool lacks apple\.albedo\.\*, .* and 2 more"):
        evaluate(replace(request, methods=()), registry=REGISTRY)


def test_a_killed_evaluation_goes_on(lab: str, tmp_path: Path) -> None:
    ledger = tmp_path / "t.cases.jsonl"
    request = EvaluateRequest(("picky",), lab, ledger=ledger)
    CALLS.clear()
    first = evaluate(request, registry=REGISTRY)
    assert CALLS == ["apple", "box", "cup"]
    with ledger.open("a") as file:
        file.write('{"of": "cut in the mid')
    again = evaluate(request, registry=REGISTRY)
    assert CALLS == ["apple", "box", "cup", "box"], "only what failed is tried again"
    assert again.rows == first.rows
    evaluate(replace(request, options=("gain=2",)), registry=REGISTRY)
    assert len(CALLS) == 7, "another option, another result"
    evaluate(replace(request, save=tmp_path / "pictures"), registry=REGISTRY)
    assert len(CALLS) == 10, "pictures need the layers"
    assert (tmp_path / "pictures" / "picky.best.png").exists()
    evaluate(replace(request, methods=("gray",)), registry=REGISTRY)
    assert not ledger.exists(), "all is done"
