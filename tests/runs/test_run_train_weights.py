"""Which weights a run ends with, stopped or not, and what it tells before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from training_runs import Told, resume, run

from intrinsic_cli.api import Source
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.registry import open_dataset
from intrinsic_cli.requests import TrainRequest


def test_a_timed_run_leaves_usable_weights(tmp_path: Path) -> None:
    told = Told()
    report = run(TrainRequest("gray", out=tmp_path, steps=9, seconds=0.0), told)
    assert not report.finished
    assert not report.interrupted
    assert report.weights == tmp_path / "best.safetensors"
    record = load_weights(report.weights)[1]
    assert (record["step"], record["stages"]["main"]["steps"]) == (1, 1)
    assert record["validation"]["loss"] > 0
    assert "stopped at step 1: loss" in told


def test_stops_do_not_change_what_a_run_ends_with(tmp_path: Path) -> None:
    more = ("val_every=2", "lr=0.3")
    whole = run(TrainRequest("gray", out=tmp_path / "a", steps=5, overrides=more))
    cut = run(TrainRequest("gray", out=tmp_path / "b", steps=5, overrides=more, seconds=0.0))
    while not cut.finished:
        cut = resume(tmp_path / "b", seconds=0.0)
    names = [tmp_path / name / "main" / "best.safetensors" for name in ("a", "b")]
    states = [load_weights(name)[0]["brightness"]["power"] for name in names]
    assert states[0] == states[1]
    assert whole.stages["main"]["loss"] == cut.stages["main"]["loss"]
    assert not (tmp_path / "b" / "main" / "stopped.safetensors").exists()


def test_a_stop_in_an_earlier_stage_gives_no_weights_yet(tmp_path: Path, home: Path) -> None:
    told = Told()
    request = TrainRequest("toy", out=tmp_path, steps=3, seconds=0.0, install=True)
    assert run(request, told).weights is None
    assert "nothing is installed: it has not come to weights" in told
    assert not (home / "weights").exists()
    assert "--init toy" not in told, "there are no weights to begin with"


def test_a_stop_in_an_earlier_stage_names_a_shorter_way(
    tmp_path: Path, home: Path, toy: Path
) -> None:
    (home / "weights").mkdir(parents=True)
    toy.rename(home / "weights" / "toy.safetensors")
    told = Told()
    run(TrainRequest("toy", out=tmp_path / "run", steps=3, seconds=0.0), told)
    assert "--init toy begins a run with the weights there are" in told


def test_a_stage_that_is_behind_stays_as_it_is(tmp_path: Path) -> None:
    run(TrainRequest("toy", out=tmp_path, steps=4))
    before = (tmp_path / "code" / "last.pt").read_bytes()
    report = resume(tmp_path, steps=6)
    assert (report.stages["code"]["steps"], report.stages["answer"]["steps"]) == (4, 6)
    assert (tmp_path / "code" / "last.pt").read_bytes() == before


def test_the_first_line_tells_what_is_trained(tmp_path: Path) -> None:
    told = Told()
    run(TrainRequest("toy", out=tmp_path, steps=1), told)
    assert told.notes[0] == (
        "toy on cpu; data synth: 40 photos to learn from, 10 photos to validate with; "
        f"stages code, answer; previews: {tmp_path / 'STAGE' / 'previews'}"
    )


def test_what_the_data_warns_of_is_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(*given: Any) -> Source:
        source = open_dataset(*given)
        source.notes = ("synth is too small to be split",)
        return source

    monkeypatch.setattr("intrinsic_cli.runs.train.run.open_dataset", small)
    told = Told()
    run(TrainRequest("gray", out=tmp_path / "run", steps=1), told)
    assert told.notes[0] == "note: synth is too small to be split"


def test_a_stop_with_better_weights_gives_those(tmp_path: Path) -> None:
    more = ("val_every=2", "lr=0.01", "warmup=0")
    request = TrainRequest("toy", out=tmp_path, steps=9, overrides=more, seconds=0.0, stage="code")
    run(request)
    resume(tmp_path, seconds=0.0)
    report = resume(tmp_path, seconds=0.0)
    assert report.weights
    assert load_weights(report.weights)[1]["step"] == 3
    assert load_weights(tmp_path / "code" / "best.safetensors")[1]["step"] == 2
