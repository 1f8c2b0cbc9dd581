"""Which weights a run begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_runs import Told, resume, run, value
from two_stages import registry

from intrinsic_cli.api import UsageError, WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train import train
from intrinsic_cli.runs.train.initial import initial_weights
from intrinsic_cli.runs.train.plan import plan


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


def test_a_run_keeps_the_weights_it_began_with(tmp_path: Path, toy: Path) -> None:
    folder = tmp_path / "run"
    request = TrainRequest("toy", out=folder, steps=3, init=str(toy), stage="answer", seconds=0.0)
    run(request)
    before = initial_weights(plan(TrainRequest(resume=folder), registry()))
    assert before.keys() == {"init", "code"}
    assert before["code"]["code"]["weight"].item() == 0.75
    toy.unlink()
    report = resume(folder)
    assert report.finished
    assert value(report.weights, "code") == 0.75


def test_weights_that_are_gone_are_told(tmp_path: Path, toy: Path) -> None:
    """Runs of before kept no copy."""
    folder = tmp_path / "run"
    run(TrainRequest("toy", out=folder, steps=3, init=str(toy), stage="answer", seconds=0.0))
    (folder / "init.safetensors").unlink()
    toy.unlink()
    with pytest.raises(WeightsError, match=r"began with are gone: .*given\.safetensors") as caught:
        resume(folder)
    assert "bring them back" in caught.value.hint


def test_a_run_that_comes_to_nothing_leaves_no_copy(tmp_path: Path, toy: Path) -> None:
    request = TrainRequest("toy", out=tmp_path / "run", init=str(toy), stage="answer")
    with pytest.raises(UsageError):
        train(replace(request, device="cuda:77"), registry=registry())
    assert not (tmp_path / "run").exists()


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
