"""Two processes that want to train in one folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from training_runs import Told, resume, run

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs import claims as room
from intrinsic_cli.runs.claims import Claims, claim_file
from intrinsic_cli.runs.train import claim

ELSEWHERE = "another-machine 5 x"
LONG_AGO = (1e9, 1e9)


def begin(folder: Path | None, **more: Any) -> TrainReport:
    return run(TrainRequest("gray", out=folder, steps=3, **more))


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run that was stopped before its end."""
    begin(tmp_path / "run", seconds=0.0)
    return tmp_path / "run"


@pytest.fixture
def others() -> Iterator[Claims]:
    """The claims of a process that is alive."""
    with Claims() as claims:
        yield claims


def test_a_run_leaves_no_claim(stopped: Path) -> None:
    assert resume(stopped).finished
    assert not list(stopped.glob(".*"))


def test_a_run_that_is_being_trained_is_left_alone(stopped: Path, others: Claims) -> None:
    others.take(stopped / "run")
    before = (stopped / "main/last.pt").read_bytes()
    with pytest.raises(UsageError, match="another process is training in") as caught:
        resume(stopped)
    assert "--out" in caught.value.hint
    assert (stopped / "main/last.pt").read_bytes() == before
    others.release(stopped / "run")
    assert resume(stopped).finished


def test_who_begins_second_in_a_folder_undoes_nothing(tmp_path: Path, others: Claims) -> None:
    others.take(tmp_path / "run" / "run")
    with pytest.raises(UsageError, match="another process is training in"):
        begin(tmp_path / "run")
    assert others.holds(tmp_path / "run" / "run")


@pytest.mark.skipif(os.name != "posix", reason="asks whether a process lives")
def test_the_run_of_a_killed_process_goes_on_at_once(stopped: Path) -> None:
    claim_file(stopped / "run").write_text(f"{room.HOST} {2**22 + 5} x")
    assert resume(stopped).finished


def test_a_claim_without_signs_of_life_is_taken_over(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STALE", 0.1)
    abandoned = claim_file(stopped / "run")
    abandoned.write_text(ELSEWHERE)
    os.utime(abandoned, LONG_AGO)
    told = Told()
    assert resume(stopped, told).finished
    assert "whether another process trains in" in told


def test_patience_with_clocks_that_disagree_ends(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "_PATIENCE", 0.1)
    monkeypatch.setattr(claim, "_PAUSE", 0.05)
    theirs = claim_file(stopped / "run")
    theirs.write_text(ELSEWHERE)
    os.utime(theirs, LONG_AGO)
    with pytest.raises(UsageError, match="another process is training in"):
        resume(stopped)


def test_of_two_that_begin_at_once_the_second_takes_the_next_folder(
    tmp_path: Path, others: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planned = claim.plan

    def plan_slowly(*args: Any) -> claim.Run:
        found = planned(*args)
        others.take(Path("runs/gray/1/run"))
        return found

    monkeypatch.setattr(claim, "plan", plan_slowly)
    assert begin(None).folder == Path("runs/gray/2")


def test_a_run_that_finds_no_data_leaves_no_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        begin(tmp_path / "new/run", data="synth:/nowhere")
    assert not list(tmp_path.iterdir())
