"""Which weights a run begins with and ends with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from two_stages import SMALL, registry

from intrinsic_cli import weights
from intrinsic_cli.api import Source, WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights
from intrinsic_cli.registry import open_dataset
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train import train
from intrinsic_cli.runs.train.finish import compare
from intrinsic_cli.runs.train.initial import initial_weights
from intrinsic_cli.runs.train.plan import plan
from intrinsic_cli.runs.train.stop_signal import Stop


class Told:
    """Progress that remembers the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, label: str, total: int | None) -> None: ...
    def advance(self, by: int = 1, facts: Any = None) -> None: ...
    def finish(self) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)

    def __contains__(self, part: str) -> bool:
        return any(part in note for note in self.notes)


def run(request: TrainRequest, told: Told | None = None) -> TrainReport:
    request = replace(request, overrides=(*SMALL, *request.overrides), device="cpu")
    return train(request, told or Told(), registry())


def resume(folder: Path, told: Told | None = None, **more: Any) -> TrainReport:
    request = TrainRequest(resume=folder, device="cpu", **more)
    return train(request, told or Told(), registry())


def value(path: Path | None, net: str) -> float:
    assert path
    return float(load_weights(path)[0][net]["weight"].item())


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Weights of both stages."""
    path = tmp_path / "given.safetensors"
    state = {name: {"weight": torch.full((1, 1, 1, 1), 0.75)} for name in ("code", "answer")}
    save_weights(path, state, {"method": "toy", "variant": ""})
    return path


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


def test_stages_whose_nets_came_whole_are_skipped(tmp_path: Path, toy: Path) -> None:
    told = Told()
    report = run(TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy)), told)
    assert report.stages.keys() == {"answer"}
    assert value(report.weights, "code") == 0.75
    assert value(report.weights, "answer") == pytest.approx(0.75, abs=0.01)
    assert value(report.weights, "answer") != 0.75
    assert "stage code is skipped: its networks came whole with given.safetensors" in told
    assert "stage answer: 2 of 2 tensors begin as in given.safetensors (code, answer)" in told
    assert not (tmp_path / "run" / "code").exists()
    assert report.weights
    assert load_file(report.weights)["answer|weight"].dtype == torch.float16


def test_a_skipped_stage_stays_skipped_on_resume(tmp_path: Path, toy: Path) -> None:
    request = TrainRequest("toy", out=tmp_path / "run", steps=3, init=str(toy), seconds=0.0)
    run(request)
    report = resume(tmp_path / "run")
    assert report.finished
    assert report.stages.keys() == {"answer"}
    assert value(report.weights, "code") == 0.75


def test_a_part_of_the_nets_begins_a_part(tmp_path: Path, toy: Path) -> None:
    state = load_weights(toy)[0]
    save_weights(toy, {"answer": state["answer"], "code": {"w": torch.zeros(1)}}, {})
    told = Told()
    report = run(TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy)), told)
    assert report.stages.keys() == {"code", "answer"}
    assert "stage answer: 1 of 2 tensors begin as in given.safetensors (answer)" in told
    trained = value(tmp_path / "run" / "code" / "best.safetensors", "code")
    assert value(report.weights, "code") == pytest.approx(trained, abs=1e-3)


def test_what_a_run_trained_itself_is_not_overwritten(tmp_path: Path, toy: Path) -> None:
    """``--stage`` asks for one stage; both stages are trained where the code is new."""
    state = load_weights(toy)[0]
    save_weights(toy, {"answer": state["answer"]}, {})
    report = run(TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy)))
    trained = value(tmp_path / "run" / "code" / "best.safetensors", "code")
    assert value(report.weights, "code") == pytest.approx(trained, abs=1e-3)
    assert trained != 0.75


def test_one_stage_can_be_tuned_alone(tmp_path: Path, toy: Path) -> None:
    request = TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy), stage="code")
    told = Told()
    report = run(request, told)
    assert report.stages.keys() == {"code"}
    assert value(report.weights, "code") == pytest.approx(0.75, abs=0.01)
    assert "skipped" not in told


def test_weights_of_another_method_are_refused(tmp_path: Path, toy: Path) -> None:
    save_weights(toy, {"brightness": {"power": torch.tensor(1.0)}}, {})
    with pytest.raises(WeightsError, match=r"no network of .* fits toy") as caught:
        run(TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy)))
    assert caught.value.hint == "it holds brightness; toy has answer, code"
    with pytest.raises(WeightsError, match=r"no network of .* fits toy"):
        run(TrainRequest("toy", out=tmp_path / "run", steps=2, init=str(toy), stage="code"))
    assert not (tmp_path / "run").exists()


def test_init_by_name_tells_where_it_was_from(tmp_path: Path, home: Path) -> None:
    run(TrainRequest("gray", out=tmp_path / "a", steps=2, install=True))
    report = run(TrainRequest("gray", out=tmp_path / "b", steps=3, init="gray"))
    assert report.weights
    assert load_weights(report.weights)[1]["from"]["config"]["steps"] == 2
    by_folder = run(TrainRequest("gray", out=tmp_path / "c", steps=1, init=str(tmp_path / "b")))
    assert by_folder.weights
    assert load_weights(by_folder.weights)[1]["from"]["config"]["steps"] == 3
    with pytest.raises(WeightsError, match="no weights called 'grey'"):
        run(TrainRequest("gray", out=tmp_path / "d", init="grey"))


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


def test_run_folders_are_weights(tmp_path: Path) -> None:
    report = run(TrainRequest("gray", out=tmp_path / "run", steps=1))
    gray = registry().resolve("gray")
    assert weights.find_weights(*gray, str(report.folder)) == report.weights
    stage = tmp_path / "run" / "main"
    assert weights.find_weights(*gray, str(stage)) == stage / "best.safetensors"
    with pytest.raises(WeightsError, match="is a checkpoint, not weights to use") as caught:
        weights.find_weights(*gray, str(stage / "last.pt"))
    assert str(report.weights) in caught.value.hint


def test_later_stages_keep_what_earlier_ones_learned(
    tmp_path: Path, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipping = "intrinsic_cli.runs.train.run.without_whole_stages"
    monkeypatch.setattr(skipping, lambda planned, *_: planned)
    more = ("lr=0.1", "warmup=0")
    request = TrainRequest("toy", out=tmp_path / "run", steps=4, init=str(toy), overrides=more)
    report = run(request)
    trained = value(tmp_path / "run" / "code" / "best.safetensors", "code")
    assert abs(trained - 0.75) > 0.01
    assert value(report.weights, "code") == pytest.approx(trained, abs=1e-3)


def test_given_weights_stand_for_the_stages_before(tmp_path: Path, toy: Path) -> None:
    request = TrainRequest("toy", out=tmp_path / "run", init=str(toy), stage="answer")
    found = initial_weights(plan(request, registry()))
    assert found.keys() == {"init", "code"}
    assert initial_weights(plan(TrainRequest("toy", out=tmp_path / "x"), registry())) == {}


def test_a_stop_with_better_weights_gives_those(tmp_path: Path) -> None:
    more = ("val_every=2", "lr=0.01", "warmup=0")
    request = TrainRequest("toy", out=tmp_path, steps=9, overrides=more, seconds=0.0, stage="code")
    run(request)
    resume(tmp_path, seconds=0.0)
    report = resume(tmp_path, seconds=0.0)
    assert report.weights
    assert load_weights(report.weights)[1]["step"] == 3
    assert load_weights(tmp_path / "code" / "best.safetensors")[1]["step"] == 2


def test_the_seed_of_a_run_decides_what_it_begins_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever random numbers were drawn before."""
    begun: list[float] = []

    def random_gain() -> torch.nn.Module:
        net = torch.nn.Conv2d(1, 1, 1, bias=False)
        begun.append(net.weight.item())
        return net

    monkeypatch.setattr("two_stages.gain", random_gain)
    for number, seed in enumerate((3, 3, 4)):
        torch.manual_seed(number)
        folder = tmp_path / str(number)
        run(TrainRequest("toy", out=folder, steps=1, stage="code", overrides=(f"seed={seed}",)))
    first, again, other = begun
    assert first == again != other
