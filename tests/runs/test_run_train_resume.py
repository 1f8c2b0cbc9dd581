"""What a run keeps to when it is continued or repeated, and whose folder it takes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from training_runs import Told
from two_stages import SMALL, registry

from intrinsic_cli.api import DataError, IidError, TrainingError, UsageError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.registry import open_dataset
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train import train
from intrinsic_cli.runs.train.plan import plan


def begin(folder: Path, steps: int = 1, **more: Any) -> TrainReport:
    request = {"method": "gray", "overrides": SMALL, "device": "cpu", **more}
    return train(TrainRequest(out=folder, steps=steps, **request), registry=registry())


def go_on(folder: Path, **more: Any) -> TrainReport:
    return train(TrainRequest(resume=folder, device="cpu", **more), registry=registry())


def config_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "config.toml").read_text())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data": "synth:elsewhere"}, "--data synth"),
        ({"out": Path("elsewhere")}, "--out "),
        ({"stage": "other"}, "stages main"),
        ({"method": "toy"}, "trains gray, not toy"),
    ],
)
def test_what_a_run_was_begun_with_stays(tmp_path: Path, change: Any, told: str) -> None:
    begin(tmp_path / "run", seconds=0.0, steps=3)
    with pytest.raises(UsageError, match=told) as caught:
        go_on(tmp_path / "run", **change)
    assert "begin a new run" in caught.value.hint
    same = {"data": "synth", "out": tmp_path / "run", "stage": "main", "method": "gray"}
    assert go_on(tmp_path / "run", **same).finished


def test_data_that_has_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validations on other photos do not compare, but decide which weights are the best."""
    begin(tmp_path / "run", seconds=0.0, steps=5)
    same, other = Told(), Told()
    train(TrainRequest(resume=tmp_path / "run", seconds=0.0, device="cpu"), same, registry())
    assert "the data has changed" not in same
    kept = type(open_dataset("synth", registry()))
    monkeypatch.setattr(kept, "counts", lambda self, split: {"photo": 1})
    train(TrainRequest(resume=tmp_path / "run", seconds=0.0, device="cpu"), other, registry())
    assert "it was 40 photos to learn from, 10 photos to validate with, and is 1 photo to" in other
    again = Told()
    train(TrainRequest(resume=tmp_path / "run", device="cpu"), again, registry())
    assert "the data has changed" not in again, "told once"


def test_another_init_is_refused_and_the_same_is_not(tmp_path: Path) -> None:
    first = str(begin(tmp_path / "a").weights)
    other = str(begin(tmp_path / "b").weights)
    begin(tmp_path / "run", init=first, seconds=0.0, steps=3)
    with pytest.raises(UsageError, match=f"--init {first}"):
        go_on(tmp_path / "run", init=other)
    assert go_on(tmp_path / "run", init=first).finished


def test_settings_changed_on_resume_are_remembered(tmp_path: Path) -> None:
    begin(tmp_path / "run", seconds=0.0, steps=3)
    go_on(tmp_path / "run", overrides=("lr=0.5",), steps=5, seconds=0.0)
    assert config_of(tmp_path / "run")["config"]["lr"] == 0.5
    report = go_on(tmp_path / "run")
    assert report.stages["main"]["steps"] == 5
    assert report.weights
    assert load_weights(report.weights)[1]["config"]["lr"] == 0.5


def test_a_run_cannot_be_cut_short(tmp_path: Path) -> None:
    begin(tmp_path / "run", steps=3)
    with pytest.raises(UsageError, match="the stage 'main' is at step 3 already"):
        go_on(tmp_path / "run", steps=2)
    assert config_of(tmp_path / "run")["config"]["steps"] == 3, "a refused setting is not kept"
    assert go_on(tmp_path / "run").finished


def test_a_config_that_is_restored_is_never_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "run", steps=3)
    config = tmp_path / "run" / "config.toml"
    before = config.read_bytes()
    opened: list[Path] = []
    write = Path.write_bytes

    def watch(path: Path, data: Any) -> int:
        opened.append(path)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", watch)
    with pytest.raises(UsageError, match="is at step 3 already"):
        go_on(tmp_path / "run", steps=2)
    assert config.read_bytes() == before
    assert config not in opened


def test_the_config_of_a_run_repeats_it(tmp_path: Path) -> None:
    first = begin(tmp_path / "a", overrides=(*SMALL, "seed=4"), steps=3, install=True)
    config = tmp_path / "a" / "config.toml"
    request = TrainRequest(config=config, out=tmp_path / "b", device="cpu")
    second = train(request, registry=registry())
    one, two = config_of(tmp_path / "a"), config_of(tmp_path / "b")
    assert two.pop("command") == one.pop("command")
    assert (one.pop("install"), two.pop("install")) == (True, False)
    assert one == two
    assert first.weights
    assert second.weights
    weights = [
        load_weights(path)[0]["brightness"]["power"] for path in (first.weights, second.weights)
    ]
    assert weights[0] == weights[1]


def test_a_repeated_run_may_have_other_settings_and_data(tmp_path: Path) -> None:
    begin(tmp_path / "a")
    config = tmp_path / "a" / "config.toml"
    begin(tmp_path / "b", config=config, overrides=("lr=0.5",), steps=2)
    told = config_of(tmp_path / "b")
    assert (told["config"]["lr"], told["config"]["crop"], told["config"]["steps"]) == (0.5, 16, 2)
    with pytest.raises(UsageError, match="trains gray, not toy"):
        begin(tmp_path / "c", config=config, method="toy")


def test_plain_settings_are_taken_as_before(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("lr = 0.25\n")
    begin(tmp_path / "a", config=tmp_path / "x.toml")
    assert config_of(tmp_path / "a")["config"]["lr"] == 0.25
    go_on(tmp_path / "a", config=tmp_path / "a" / "config.toml", steps=2)
    assert config_of(tmp_path / "a")["config"]["lr"] == 0.25


@pytest.mark.parametrize(
    "line", ["method = 3", "stages = 3", "stages = [3]", "data = true", 'config = "x"', "install=1"]
)
def test_configs_of_wrong_types_are_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(line)
    with pytest.raises(DataError, match=r"config\.toml: '.*' cannot be"):
        go_on(tmp_path)


@pytest.mark.parametrize("text", ["[" * 20_000, "= 3", "\udcff"])
def test_configs_that_cannot_be_read_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="not a training run"):
        go_on(tmp_path)


def test_a_stage_nobody_knows_is_told(tmp_path: Path) -> None:
    begin(tmp_path)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace('["main"]', '["mian"]'))
    with pytest.raises(UsageError, match="no stage 'mian'"):
        go_on(tmp_path)


def test_a_run_that_fails_before_its_first_step_leaves_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(IidError):
        begin(run, overrides=(*SMALL, "batch_size=100000", "crop=8"), data="iiw:/nowhere")
    assert not run.exists()
    with pytest.raises(IidError):
        begin(run, device="cuda:77")
    assert not run.exists()
    assert begin(run).finished


def test_a_run_that_fails_later_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from iid_gray.method import GrayTrainer

    def fail(*_: Any) -> Any:
        raise TrainingError("enough")

    monkeypatch.setattr(GrayTrainer, "validate", fail)
    with pytest.raises(TrainingError, match="enough"):
        begin(tmp_path / "run", overrides=(*SMALL, "save_every=1"), steps=2)
    assert (tmp_path / "run" / "main" / "last.pt").exists()
    with pytest.raises(UsageError, match="already holds a run"):
        begin(tmp_path / "run")


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".hidden").touch()
    (run / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"holds other files \(thesis.tex\)"):
        begin(run)
    assert not (run / "config.toml").exists()
    (run / "thesis.tex").unlink()
    assert begin(run).finished
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        begin(tmp_path / "file")


def test_settings_of_later_stages_are_checked_before_the_first(tmp_path: Path) -> None:
    """``crop=100`` suits stage vae of flow; stage flow could not use it."""
    with pytest.raises(UsageError, match="crop must be a multiple of 32, not 100"):
        begin(tmp_path / "run", method="flow", overrides=("crop=100",))
    assert not (tmp_path / "run").exists()


def test_the_data_of_a_repeated_run_is_its_own_unless_another_is_given(tmp_path: Path) -> None:
    begin(tmp_path / "a")
    config = tmp_path / "a" / "config.toml"
    config.write_text(config.read_text().replace('data = "synth"', 'data = "mit:x"'))
    request = TrainRequest(config=config, out=tmp_path / "b")
    assert plan(request, registry()).data == "mit:x"
    assert plan(replace(request, data="iiw:y"), registry()).data == "iiw:y"
    assert plan(TrainRequest("gray", out=tmp_path / "b"), registry()).data == "synth"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("scenes", "{}/scenes"),
        ("folder:scenes/", "folder:{}/scenes"),
        ("unpaired:scenes,more", "unpaired:{0}/scenes,{0}/more"),
        ("mit:nowhere", "mit:nowhere"),
        ("synth", "synth"),
    ],
)
def test_data_is_found_from_every_folder(
    typed: str, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("scenes", "more", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    run = plan(TrainRequest("gray", data=typed, out=tmp_path / "a"), registry())
    assert run.data == kept.format(tmp_path)
    run.write()
    assert plan(TrainRequest(resume=tmp_path / "a", data=typed), registry()).data == run.data
    monkeypatch.chdir("elsewhere")
    assert plan(TrainRequest(resume=tmp_path / "a"), registry()).data == run.data
