"""Processes that train one run together: those of ``--nproc``, and those that torchrun starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.launcher import launched, meeting_point
from intrinsic_cli.runs.train.run import train

STEPS = 5
#: Each step is validated, and so it is logged by itself, however long it takes.
SETTINGS = ("crop=16", "val_every=1", "clip=0.05", "ema=0.5", "lr=0.05")
#: What each of two processes does; one alone sees twice as many at a time, half as often.
HALF, WHOLE = ("batch_size=2", "val_batches=2"), ("batch_size=4", "val_batches=1")


def request(out: Path, batches: tuple[str, ...], nproc: int = 1) -> TrainRequest:
    overrides = (*SETTINGS, *batches)
    given = {"steps": STEPS, "device": "cpu", "nproc": nproc}
    return TrainRequest("gray", out=out, overrides=overrides, **given)  # type: ignore[arg-type]


def losses(run: Path) -> list[tuple[str, int, float]]:
    """What was logged: of training and validation."""
    lines = (run / "main/log.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    return [(entry["kind"], entry["step"], entry["loss"]) for entry in told]


def same(run: Path, other: Path) -> None:
    """Both have the same losses all along, and end with the same weights."""
    first, second = losses(run), losses(other)
    assert [entry[:2] for entry in first] == [entry[:2] for entry in second]
    values = [[entry[2] for entry in entries] for entries in (first, second)]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    weights = [load_weights(folder / "main/best.safetensors")[0] for folder in (run, other)]
    power, same_power = (found["brightness"]["power"] for found in weights)
    torch.testing.assert_close(power, same_power, rtol=1e-5, atol=0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process, batches of four."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train(request(out, WHOLE))
    return out


def test_two_processes_have_the_losses_of_one_with_batches_twice_as_large(
    whole: Path, tmp_path: Path
) -> None:
    train(request(tmp_path / "run", HALF, nproc=2))
    same(tmp_path / "run", whole)


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_batches_are_the_same_whoever_makes_them(whole: Path, tmp_path: Path) -> None:
    train(request(tmp_path / "run", (*WHOLE, "workers=2")))
    same(tmp_path / "run", whole)


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_processes_that_train_together_have_workers_of_their_own(
    whole: Path, tmp_path: Path
) -> None:
    train(request(tmp_path / "run", (*HALF, "workers=1"), nproc=2))
    same(tmp_path / "run", whole)


@pytest.mark.skipif(os.name != "posix", reason="torchrun")
def test_processes_of_torchrun_train_one_run(whole: Path, tmp_path: Path) -> None:
    words = ["train", "-m", "gray", "--out", str(tmp_path / "run"), "--steps", str(STEPS)]
    for setting in (*SETTINGS, *HALF):
        words += ["--set", setting]
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launch, "-m", "intrinsic_cli", *words, "--device", "cpu"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    same(tmp_path / "run", whole)
    assert done.stdout.splitlines() == [str(tmp_path / "run/best.safetensors")], "told once"


def test_more_processes_than_a_launch_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"--nproc 2, but there are 2 processes \(RANK=0"):
        train(request(tmp_path / "run", HALF, nproc=2))
    with pytest.raises(UsageError, match=r"where the processes .* are to meet"):
        train(request(tmp_path / "run", HALF))
    assert not (tmp_path / "run").exists()


TASK = {"SLURM_JOB_ID": "1234567", "SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "8"}


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}, "tcp://10.0.0.1:29500"),
        ({**TASK, "SLURM_STEP_NODELIST": "gpu[07-09,12]"}, "tcp://gpu07:34567"),
        ({**TASK, "SLURM_STEP_NODELIST": "one,two"}, "tcp://one:34567"),
        ({**TASK, "SLURM_JOB_NODELIST": "lab-a3"}, "tcp://lab-a3:34567"),
        ({**TASK, "SLURM_STEP_NODELIST": "a", "MASTER_PORT": "7"}, "tcp://a:7"),
    ],
)
def test_where_processes_meet(environment: dict[str, str], address: str) -> None:
    assert meeting_point(environment) == address


def test_tasks_of_slurm_know_their_place() -> None:
    place = launched(TASK)
    assert place is not None
    assert (place.rank, place.count) == (3, 8)


@pytest.mark.parametrize(
    ("told", "here"),
    [
        ({}, 8),
        ({"SLURM_STEP_TASKS_PER_NODE": "8"}, 8),
        ({"SLURM_STEP_TASKS_PER_NODE": "4(x2)", "SLURM_NODEID": "1"}, 4),
        ({"SLURM_STEP_TASKS_PER_NODE": "5,3", "SLURM_NODEID": "1"}, 3),
        ({"SLURM_STEP_TASKS_PER_NODE": "2(x3),1,1", "SLURM_NODEID": "2"}, 2),
        ({"SLURM_STEP_TASKS_PER_NODE": "2(x3),1,1", "SLURM_NODEID": "4"}, 1),
        ({"SLURM_NTASKS_PER_NODE": "4", "SLURM_NODEID": "1"}, 4),
        ({"SLURM_STEP_TASKS_PER_NODE": "4(x2)", "SLURM_NTASKS_PER_NODE": "1"}, 4),
        ({"SLURM_STEP_TASKS_PER_NODE": "a few", "SLURM_NTASKS_PER_NODE": "4"}, 4),
        ({"SLURM_NTASKS_PER_NODE": "20"}, 8),
    ],
)
def test_tasks_of_slurm_know_how_many_share_their_machine(told: dict[str, str], here: int) -> None:
    place = launched({**TASK, **told})
    assert place is not None
    assert place.here == here


def test_processes_of_torchrun_know_how_many_share_their_machine() -> None:
    """Also where a job of SLURM started torchrun."""
    torchrun = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "2"}
    for others in ({}, {**TASK, "SLURM_STEP_TASKS_PER_NODE": "1(x4)"}):
        place = launched({**torchrun, **others})
        assert place is not None
        assert (place.count, place.here) == (8, 2)
    script = {"RANK": "0", "WORLD_SIZE": "2", "SLURM_JOB_ID": "7", "SLURM_NTASKS_PER_NODE": "1"}
    place = launched(script)
    assert place is not None
    assert place.here == 2
