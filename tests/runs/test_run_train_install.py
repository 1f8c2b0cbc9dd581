"""Weights of a run are installed, compared with those they hide, and found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from training_runs import Told, resume, run
from two_stages import SMALL, registry

from intrinsic_cli import weights
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.stop_signal import Stop
from intrinsic_cli.runs.train.finish import compare
from intrinsic_cli.runs.train.run import train


def test_install_is_remembered_and_told(tmp_path: Path, home: Path) -> None:
    told = Told()
    installed = home / "weights" / "gray.safetensors"
    cut = run(TrainRequest("gray", out=tmp_path, steps=9, seconds=0.0, install=True), told)
    assert cut.weights == installed
    assert cut.installed
    assert f"installed as {installed}" in told
    told = Told()
    installed.unlink()
    report = resume(tmp_path, told)
    assert report.finished
    assert report.weights == installed
    assert f"installed as {installed}; `iid weights remove gray`" in told


def test_interrupted_runs_are_not_installed(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stop, "__call__", lambda stop: setattr(stop, "asked", True) or True)
    told = Told()
    report = run(TrainRequest("gray", out=tmp_path, steps=9, install=True), told)
    assert report.interrupted
    assert report.weights == tmp_path / "best.safetensors"
    assert "nothing is installed: it was interrupted" in told
    assert not (home / "weights").exists()


RECORD: dict[str, Any] = {
    "method": "toy",
    "variant": "",
    "stage": "main",
    "data": "synth",
    "watch": "loss",
    "validation": {"loss": 1.0},
    "config": {"crop": 32, "lr": 1.0, "dis_lr": 2.0, "steps": 3},
}


def test_worse_weights_are_warned_of() -> None:
    better = {**RECORD, "validation": {"loss": 0.5}}
    assert compare(RECORD, better).startswith("warning: they score worse than those they hide")
    assert "(loss 1.0000, not 0.5000)" in compare(RECORD, better)
    assert "(loss 0.5000, was 1.0000)" in compare(better, RECORD)
    assert "warning" not in compare(RECORD, RECORD)
    pace = {**RECORD, "config": {"crop": 32, "lr": 9.0, "dis_lr": 9.0, "steps": 9}}
    assert "as well" in compare(RECORD, pace)
    older = {name: told for name, told in RECORD.items() if name != "watch"}
    assert "as well" in compare(RECORD, older)


@pytest.mark.parametrize(
    "other",
    [
        {"data": "mit:x"},
        {"stage": "flow"},
        {"variant": "b"},
        {"method": "c"},
        {"watch": "other", "validation": {"loss": 1.0, "other": 1.0}},
        {"config": {"crop": 64, "lr": 1.0, "dis_lr": 2.0, "steps": 3}},
        {"config": 3},
        {"validation": {}},
        {"validation": None},
        {"validation": {"loss": "low"}},
    ],
)
def test_scores_of_other_data_or_losses_are_not_compared(other: dict[str, Any]) -> None:
    assert "cannot be told" in compare(RECORD, {**RECORD, **other})
    assert "cannot be told" in compare({**RECORD, **other}, RECORD)


def test_installing_over_better_weights_warns(tmp_path: Path, home: Path) -> None:
    first = run(TrainRequest("gray", out=tmp_path / "a", steps=3, install=True))
    assert first.weights
    state, record = load_weights(first.weights)
    record["validation"]["loss"] = 0.0
    save_weights(first.weights, state, record)
    told = Told()
    run(TrainRequest("gray", out=tmp_path / "b", steps=3, install=True), told)
    assert "warning: they score worse" in told


def test_run_folders_are_weights(tmp_path: Path) -> None:
    report = run(TrainRequest("gray", out=tmp_path / "run", steps=1))
    gray = registry().resolve("gray")
    assert weights.find_weights(*gray, str(report.folder)) == report.weights
    stage = tmp_path / "run" / "main"
    assert weights.find_weights(*gray, str(stage)) == stage / "best.safetensors"
    with pytest.raises(WeightsError, match="is a checkpoint, not weights to use") as caught:
        weights.find_weights(*gray, str(stage / "last.pt"))
    assert str(report.weights) in caught.value.hint


def test_a_run_that_installs_shares_its_time_among_the_stages(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stage's part is up at once; the second still comes to weights."""
    parts: list[float] = []

    def within(stop: Stop, part: float) -> Any:
        parts.append(part)
        return lambda: True

    monkeypatch.setattr(Stop, "within", within)
    told = Told()
    request = TrainRequest(
        "toy", out=tmp_path, steps=4, overrides=SMALL, seconds=3600.0, install=True, device="cpu"
    )
    report = train(request, told, registry())
    assert parts == [0.5]
    assert "the time for stage code is up at step 1 of 4; going on" in told
    assert report.finished
    assert report.weights == home / "weights" / "toy.safetensors"
    assert report.stages["code"]["steps"] == 1
    before = load_weights(tmp_path / "best.safetensors")[0]
    resumed = train(TrainRequest(resume=tmp_path, steps=6, device="cpu"), Told(), registry())
    assert resumed.stages["code"]["steps"] == 1
    after = load_weights(tmp_path / "best.safetensors")[0]
    assert after["code"]["weight"].equal(before["code"]["weight"])


def test_without_install_a_run_stops_in_the_stage_it_is_in(tmp_path: Path, home: Path) -> None:
    request = TrainRequest(
        "toy", out=tmp_path, steps=4, overrides=SMALL, seconds=1e-6, device="cpu"
    )
    report = train(request, Told(), registry())
    assert not report.finished
    assert report.weights is None
    assert set(report.stages) == {"code"}


def test_parts_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("intrinsic_cli.runs.stop_signal.time.monotonic", lambda: now[0])
    stop = Stop(60.0)
    half = stop.within(0.5)
    now[0] = 129.0
    assert (half(), stop()) == (False, False)
    now[0] = 130.0
    assert (half(), stop()) == (True, False)
    third = stop.within(1 / 3)
    now[0] = 140.0
    assert (third(), stop()) == (True, False)
    assert Stop().within(0.5)() is False
