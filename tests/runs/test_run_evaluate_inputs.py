"""Evaluation of what was brought along: datasets with holes, settings, predictions, what a killed
run knew."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluated_methods import CALLS, REGISTRY, Gray, GrayDecomposer, GrayOptions

from intrinsic_cli.api import Case, DataError, Decomposer, Runtime, Silent, UsageError
from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.candidates import MethodCandidate
from intrinsic_cli.runs.evaluate.method_settings import choice_for
from intrinsic_cli.runs.evaluate.run import evaluate
from intrinsic_cli.runs.evaluate.score_cache import ScoreCache


class Told(Silent):
    """Progress that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class ShakyCases(Sequence[Case]):
    """The second case cannot be read."""

    def __init__(self, good: Sequence[Case]) -> None:
        self.good = good

    def __len__(self) -> int:
        return len(self.good)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ShakyCases(self.good[index])
        if index == 1:
            raise DataError("box.png is damaged")
        return self.good[index]


class Shaky(Mit):
    """A dataset with such cases."""

    def cases(self, split: Split = "val") -> Sequence[Case]:
        return ShakyCases(super().cases(split))


def test_a_case_that_cannot_be_read(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Shaky(Path(lab.partition(":")[2]))
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.run.open_dataset", lambda *_: source)
    report = evaluate(EvaluateRequest(("gray",), lab), registry=REGISTRY)
    assert report.rows[0]["cases"] == 2
    (failure,) = report.failures
    assert (failure.method, failure.case) == ("", "case 2")
    assert failure.error == "box.png is damaged"


def test_what_the_data_warns_of_is_told(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Mit(Path(lab.partition(":")[2]))
    source.notes = ("only one of the photos is held out",)
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.run.open_dataset", lambda *_: source)
    told = Told()
    evaluate(EvaluateRequest(("gray",), lab, limit=1), told, REGISTRY)
    assert "note: only one of the photos is held out" in told.notes
    whole = Told()
    evaluate(EvaluateRequest(("gray",), lab, limit=1, split="all"), whole, REGISTRY)
    assert not [note for note in whole.notes if "held out" in note], "all is all"


def test_options_weights_and_config_find_their_method(lab: str, tmp_path: Path) -> None:
    own = lab.replace("mit:", "lab:")

    def brightness(*methods: str, **more: Any) -> list[float]:
        report = evaluate(EvaluateRequest(methods, own, limit=1, **more), registry=REGISTRY)
        return [row["brightness"] for row in report.rows[: len(methods)]]

    plain = brightness("gray")[0]
    assert brightness("gray", options=("gain=2",))[0] == pytest.approx(2 * plain)
    words = ("twin.gain=9", "gray.gain=3")
    assert brightness("gray", "twin", options=words) == pytest.approx([3 * plain, 9 * plain])
    words = ("twin.gain=9", "twin:small.gain=4")
    both = brightness("twin", "twin:small", options=words)
    assert both == pytest.approx([9 * plain, 4 * plain])
    config = tmp_path / "c.toml"
    config.write_text('gain = 5\n[gray]\ngain = 2\n["twin:small"]\ngain = 7\n')
    names = ("gray", "twin", "twin:small")
    known = [2 * plain, 5 * plain, 7 * plain]
    assert brightness(*names, config=config) == pytest.approx(known)
    config.write_text('["twin:small"]\ngain = 7\n[twin]\ngain = 6\n')
    both = brightness("twin", "twin:small", config=config)
    assert both == pytest.approx([6 * plain, 7 * plain])
    with pytest.raises(UsageError, match="not evaluated"):
        brightness("gray", options=("twin.gain=3",))
    with pytest.raises(UsageError, match="gray: no setting called 'gian'") as caught:
        brightness("gray", "twin", options=("gian=3",))
    assert "gray.KEY=VALUE is for gray alone" in caught.value.hint
    config.write_text("[gary]\ngain = 2\n")
    with pytest.raises(UsageError, match="no method called 'gary'"):
        brightness("gray", config=config)


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
    cache = tmp_path / "t.cases.jsonl"
    request = EvaluateRequest(("picky",), lab, cache=cache)
    CALLS.clear()
    first = evaluate(request, registry=REGISTRY)
    assert CALLS == ["apple", "box", "cup"]
    with cache.open("a") as file:
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
    assert not cache.exists(), "all is done"


def test_remembered_scores_are_of_the_very_pixels(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path / "t.cases.jsonl")
    planes = {name: np.full((2, 2, 3), 0.5, np.float32) for name in ("photo", "albedo")}
    mask = np.ones((2, 2), bool)
    case = Case("one", planes["photo"], {"albedo": planes["albedo"]}, mask)
    recipe = {"method": "gray"}
    others = (
        replace(case, name="two"),
        replace(case, photo=planes["photo"] * 2),
        replace(case, truth={"albedo": planes["albedo"] * 2}),
        replace(case, mask=~mask),
    )
    keys = {cache.key(recipe, one) for one in (case, *others)}
    assert len(keys | {cache.key({"method": "other"}, case)}) == 6
    assert cache.key(dict(recipe), replace(case)) in keys
    assert cache.key({}, case) == ScoreCache().key(recipe, case) == ""


def test_a_disk_that_is_full_ends_it(
    lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case has failed: what is known is kept, and the same command goes on."""

    def full(self: Path, *given: Any, **more: Any) -> Any:
        if given[:1] == ("a",):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return Path.open(self, *given, **more)

    request = EvaluateRequest(("gray",), lab, cache=tmp_path / "t.cases.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "open", full)
        with pytest.raises(DataError, match=r"t\.cases\.jsonl: no space left"):
            evaluate(request, registry=REGISTRY)
    assert not evaluate(request, registry=REGISTRY).failures


def test_what_is_pooled_is_never_remembered(lab: str, tmp_path: Path) -> None:
    """A pool must see every answer, also those whose scores are known."""
    cache = tmp_path / "t.cases.jsonl"
    request = EvaluateRequest(("picky",), lab.replace("mit:", "lab:"), cache=cache)
    first = evaluate(request, registry=REGISTRY).rows[0]
    again = evaluate(request, registry=REGISTRY).rows[0]
    assert first["brightest"] == again["brightest"]


def test_scores_of_a_method_depend_on_all_that_was_asked(tmp_path: Path) -> None:
    def recipe(method: str = "twin", **more: Any) -> Any:
        file = more.pop("file", None)
        request = EvaluateRequest((method,), **{"device": "cpu", **more})
        choice = replace(choice_for(method, request, REGISTRY), weights=file)
        return MethodCandidate(method, choice, request).recipe

    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.write_text(file.name)
    recipes = [
        recipe(),
        recipe("twin:small"),
        recipe("gray"),
        recipe(seed=1),
        recipe(precision="bf16"),
        recipe(device="cuda"),
        recipe(options=("gain=2",)),
        *(recipe(file=file) for file in files),
    ]
    assert len({str(one) for one in recipes}) == len(recipes)
    assert recipe() == recipes[0]


def test_methods_are_opened_as_asked(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Runtime] = []

    def decomposer(self: Gray, state: Any, options: GrayOptions, runtime: Runtime) -> Decomposer:
        seen.append(runtime)
        return GrayDecomposer(options.gain)

    monkeypatch.setattr(Gray, "decomposer", decomposer)
    asked = {"device": "cpu", "seed": 5, "precision": "bf16", "limit": 1}
    evaluate(EvaluateRequest(("twin:small",), lab, **asked), registry=REGISTRY)
    (runtime,) = seen
    assert (runtime.seed, runtime.precision, runtime.variant) == (5, "bf16", "small")
