"""Evaluation with made-up methods on a made-up dataset."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from intrinsic_cli.api import (
    DataError,
    Frame,
    IidError,
    Method,
    MethodSpec,
    Scorer,
    Silent,
    UsageError,
    WeightsError,
    knob,
)
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.kit.data.mit import open_mit
from intrinsic_cli.kit.opencv import cv2
from intrinsic_cli.registry import Registry
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate import evaluate


@dataclass(frozen=True, slots=True)
class GrayOptions:
    """One knob."""

    gain: float = knob(1.0, "multiplies the shading")


@dataclass(frozen=True, slots=True)
class GrayDecomposer:
    """Shading is the photo's gray."""

    gain: float
    frame: Frame = field(default_factory=Frame)

    def __call__(self, photos: Tensor) -> dict[str, Tensor]:
        shading = photos.mean(1, keepdim=True).clamp(min=1e-4) * self.gain
        return {"albedo": photos / shading, "shading": shading}


class Gray(Method[GrayOptions, Any]):
    """Needs no training."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Any) -> GrayDecomposer:
        return GrayDecomposer(options.gain)

    def trainer(self, stage: str, config: Any, source: Any, runtime: Any) -> Any:
        raise NotImplementedError


class Proud(Gray):
    """Brings a scorer of its own."""

    def scorer(self, runtime: Any) -> Scorer:
        return lambda case, layers: {"brightness": float(np.mean(layers["shading"]))}


def spec(name: str, target: str, **more: Any) -> MethodSpec:
    target = f"{__name__}:{target}"
    return MethodSpec(name, name, target, ("albedo", "shading"), **{"stages": (), "options": GrayOptions, **more})


class Picky(Gray):
    """Cannot stand the box."""

    def scorer(self, runtime: Any) -> Scorer:
        def look(case: Any, layers: Any) -> dict[str, float]:
            CALLS.append(case.name)
            return {"part": 1 / (case.name != "box")}

        return look


CALLS: list[str] = []
METHODS = (
    *(spec("gray", "Gray"), spec("proud", "Proud"), spec("picky", "Picky")),
    *(spec("twin", "Gray", variants=("small",)), spec("untrained", "Gray", stages=("main",))),
)
REGISTRY = Registry({m.name: m for m in METHODS}, {d.name: d for d in DATASETS})


@pytest.fixture
def lab(tmp_path: Path) -> str:
    for number, name in enumerate(("apple", "box", "cup")):
        rng = np.random.default_rng(number)
        (tmp_path / "lab" / name).mkdir(parents=True)
        albedo = np.full((32, 40, 3), 0.2 + 0.6 * rng.random(3))
        shading = 0.3 + 0.7 * rng.random((8, 10, 1)).repeat(4, 0).repeat(4, 1)
        layers = {"reflectance": albedo, "shading": shading, "diffuse": albedo * shading, "mask": np.ones((32, 40))}
        for layer, values in layers.items():
            path = tmp_path / "lab" / name / f"{layer}.png"
            cv2.imwrite(str(path), (values * 65535).astype(np.uint16))
    return f"mit:{tmp_path / 'lab'}"


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
    assert list(rows) == ["gray", "constant shading", "constant albedo"]
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
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["gray.best.png", "gray.worst.png"]
    assert cv2.imread(str(tmp_path / "out" / "gray.worst.png")).shape[1] == 5 * 260 + 4
    assert len(listener.notes) == 2


def test_mistakes_are_found_before_any_work(lab: str, tmp_path: Path) -> None:
    def fails(kind: type[IidError], match: str, *methods: str, **more: Any) -> None:
        with pytest.raises(kind, match=match):
            evaluate(EvaluateRequest(methods or ("gray",), **{"data": lab, **more}), registry=REGISTRY)

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
    cv2.imwrite(str(Path(lab.partition(":")[2]) / "box" / "mask.png"), np.zeros((32, 40), np.uint16))
    listener = Listener()
    report = evaluate(EvaluateRequest(("gray",), lab), listener, REGISTRY)
    assert [row["cases"] for row in report.rows] == [2, 2, 2]
    assert listener.notes == ["box: nothing to score"]


def test_one_failing_case_is_reported_and_the_others_are_scored(lab: str) -> None:
    report = evaluate(EvaluateRequest(("picky", "gray"), lab), registry=REGISTRY)
    assert [row["cases"] for row in report.rows] == [2, 3, 3, 3]
    (failure,) = report.failures
    assert (failure.method, failure.case) == ("picky", "box")
    assert failure.error == "unexpected ZeroDivisionError: division by zero"


def test_where_all_cases_fail_the_first_error_is_raised(lab: str) -> None:
    for name in ("apple", "cup"):
        shutil.rmtree(Path(lab.partition(":")[2]) / name)
    with pytest.raises(IidError, match="ZeroDivisionError") as caught:
        evaluate(EvaluateRequest(("picky",), lab), registry=REGISTRY)
    assert isinstance(caught.value.__cause__, ZeroDivisionError), "--debug shows where"


class Shaky:
    """A dataset whose second case cannot be read."""

    name, protocol, offers = "shaky", "mit", frozenset({"photo"})

    def __init__(self, path: Path, mapped: bool) -> None:
        self.good = list(open_mit(path).cases())
        self.mapped = mapped

    def cases(self, split: str = "val", limit: int | None = None) -> Any:
        return map(self._case, range(3)) if self.mapped else (self._case(i) for i in range(3))

    def _case(self, number: int) -> Any:
        if number == 1:
            raise DataError("box.png is damaged")
        return self.good[number]


@pytest.mark.parametrize("mapped", [True, False])
def test_a_case_that_cannot_be_read(lab: str, mapped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Shaky(Path(lab.partition(":")[2]), mapped)
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.open_dataset", lambda *_: source)
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
    assert brightness("proud", "gray", options=("gray.gain=9", "proud.gain=3"))[0] == pytest.approx(3 * plain)
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
    request = EvaluateRequest(("gray",), lab, predictions=(str(out),), predictions_encoding="linear")
    rows = evaluate(request, registry=REGISTRY).rows
    assert [row["method"] for row in rows] == ["gray", "tool", "constant shading", "constant albedo"]
    assert rows[1]["lmse"] < 1e-9, "the truth itself"
    assert "seconds" not in rows[1]

    (out / "box-s.png").unlink()
    report = evaluate(request, registry=REGISTRY)
    assert [row["cases"] for row in report.rows] == [3, 2, 3, 3]
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
