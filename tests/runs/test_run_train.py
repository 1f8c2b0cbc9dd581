"""``train`` as a library call and as a process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import torch
from PIL import Image

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train.run import train

SMALL = ("batch_size=1", "crop=16", "save_every=5", "val_every=50", "val_batches=1")


def test_a_run_folder_tells_everything(tmp_path: Path) -> None:
    report = train(
        TrainRequest("gray", out=tmp_path / "run", overrides=SMALL, steps=6, device="cpu")
    )
    assert report.finished
    assert report.weights == tmp_path / "run" / "best.safetensors"
    told = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (told["method"], told["data"], told["config"]["steps"]) == ("gray", "synth", 6)
    assert told["command"]
    record = load_weights(report.weights)[1]
    assert record["stages"]["main"]["steps"] == 6
    assert record["config"]["crop"] == 16
    stage = tmp_path / "run" / "main"
    assert {p.name for p in stage.iterdir()} >= {"last.pt", "best.safetensors", "log.jsonl"}


def test_layers_of_another_size_are_told_before_the_first_step(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    for name, width in (("photo", 30), ("albedo", 30), ("shading", 30)):
        (data / name).mkdir(parents=True)
        for number in range(20):
            wide = width + (name == "albedo" and number == 13)
            Image.new("RGB", (wide, 20), (90, 90, 90)).save(data / name / f"{number}.png")
    run = tmp_path / "run"
    with pytest.raises(DataError, match=r"13\.png has 31×20 pixels") as caught:
        train(TrainRequest("gray", str(data), out=run, overrides=SMALL, steps=1, device="cpu"))
    assert f"iid datasets check '{data}' --all" in caught.value.hint
    assert not run.exists()


def test_run_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [
        train(TrainRequest("gray", overrides=SMALL, steps=1, device="cpu")).folder for _ in range(2)
    ]
    assert [str(f) for f in folders] == ["runs/gray/1", "runs/gray/2"]


def test_time_ends_a_run_and_resume_finishes_it(tmp_path: Path) -> None:
    whole = train(
        TrainRequest("gray", out=tmp_path / "whole", overrides=SMALL, steps=8, device="cpu")
    )
    cut = train(
        TrainRequest(
            "gray", out=tmp_path / "cut", overrides=SMALL, steps=8, seconds=0.0, device="cpu"
        )
    )
    assert (cut.finished, cut.stages["main"]["steps"]) == (False, 1)
    resumed = train(TrainRequest("gray", resume=tmp_path / "cut", device="cpu"))
    assert resumed.finished
    _assert_same(whole.weights, resumed.weights)


def test_killed_and_resumed_gives_the_same_weights(tmp_path: Path) -> None:
    steps = 600
    request = TrainRequest(
        "gray", out=tmp_path / "whole", overrides=SMALL, steps=steps, device="cpu"
    )
    overrides = [word for pair in SMALL for word in ("--set", pair)]
    command = [
        sys.executable,
        "-m",
        "intrinsic_cli",
        "train",
        "-m",
        "gray",
        "--device",
        "cpu",
        "--steps",
        str(steps),
    ]
    process = subprocess.Popen(
        [*command, *overrides, "--out", str(tmp_path / "cut")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ},
    )  # fmt: skip
    last = tmp_path / "cut" / "main" / "last.pt"
    deadline = time.monotonic() + 60
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert last.exists()
    assert not (tmp_path / "cut" / "best.safetensors").exists()
    resumed = train(TrainRequest("gray", resume=tmp_path / "cut", device="cpu"))
    _assert_same(train(request).weights, resumed.weights)


def test_install_makes_the_weights_the_methods_own(tmp_path: Path, home: Path) -> None:
    request = TrainRequest(
        "gray", out=tmp_path / "run", overrides=SMALL, steps=1, device="cpu", install=True
    )
    assert train(request).weights == home / "weights" / "gray.safetensors"


def test_mistakes_are_told_before_anything_is_made(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for request, error in [
        (TrainRequest("grey", out=run), UsageError),
        (TrainRequest("gray", out=run, overrides=("stepz=3",)), UsageError),
        (TrainRequest("gray", out=run, stage="vae"), UsageError),
        (TrainRequest("gray", out=run, data="synth:/nowhere"), DataError),
        (TrainRequest("gray", resume=tmp_path), DataError),
    ]:
        with pytest.raises(error):
            train(request)
    assert not run.exists()
    train(TrainRequest("gray", out=run, overrides=SMALL, steps=1, device="cpu"))
    with pytest.raises(UsageError, match="already holds a run"):
        train(TrainRequest("gray", out=run, overrides=SMALL, steps=1, device="cpu"))


def _assert_same(a: Path | None, b: Path | None) -> None:
    assert a
    assert b
    first, second = load_weights(a)[0], load_weights(b)[0]
    for net, part in first.items():
        assert all(torch.equal(part[k], second[net][k]) for k in part)


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    team = TrainRequest(
        "gray", out=tmp_path / "team", overrides=SMALL, steps=7, device="cpu", nproc=2
    )
    together, alone = (
        train(team),
        train(TrainRequest("gray", out=tmp_path / "one", overrides=SMALL, steps=7)),
    )
    assert together.finished
    first, second = (
        load_weights(r.weights)[0]["brightness"]["power"] for r in (together, alone) if r.weights
    )
    assert first != second  # the other process brought batches of its own
    lines = (tmp_path / "team" / "main" / "log.jsonl").read_text().splitlines()
    assert sum('"val"' in line for line in lines) == 1


def test_a_team_stops_together_and_resumes(tmp_path: Path) -> None:
    cut = TrainRequest(
        "gray", out=tmp_path / "run", overrides=SMALL, steps=9, seconds=0.0, device="cpu", nproc=2
    )
    assert train(cut).stages["main"]["steps"] == 1
    assert train(TrainRequest("gray", resume=tmp_path / "run", device="cpu", nproc=2)).finished


def test_weights_tell_what_they_were_made_from(tmp_path: Path) -> None:
    first = train(TrainRequest("gray", out=tmp_path / "a", overrides=SMALL, steps=2, device="cpu"))
    second = TrainRequest(
        "gray", out=tmp_path / "b", overrides=SMALL, steps=3, device="cpu", init=str(first.weights)
    )
    report = train(second)
    assert report.weights
    record = load_weights(report.weights)[1]
    assert record["config"]["steps"] == 3
    assert record["from"]["config"]["steps"] == 2
