"""``iid decompose`` on folders as typed: shards, what failed, watching, and how it ends."""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from intrinsic_cli.cli import iid
from intrinsic_cli.runs.decompose import watch, write

RETINEX = ("-m", "retinex", "--device", "cpu")
SURROUNDINGS = ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SURROUNDINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(4):
        codes = rng.integers(40, 200, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(codes).save(tmp_path / f"photos/{number}.png")
    return tmp_path / "photos"


def run(photos: Path, *words: str) -> Result:
    out = photos.parent / "out"
    return CliRunner().invoke(iid, ["decompose", str(photos), *RETINEX, "-o", str(out), *words])


def summary(done: Result) -> str:
    return done.stderr.splitlines()[-1].partition(" in ")[0]


def test_torchrun_gives_each_process_its_shard(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    counts = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        done = run(photos, "--json")
        assert done.exit_code == 0, done.output
        assert f"shard {int(rank) + 1}/2 of the photos (RANK={rank}, WORLD_SIZE=2" in done.stderr
        counts.append(len(done.stdout.splitlines()))
    assert sum(counts) == 4
    done = run(photos, "--shard", "1/1")
    assert summary(done) == "0 done, 4 skipped, 0 failed"
    assert "RANK" not in done.stderr


def test_a_shard_that_does_not_exist_is_a_slip(photos: Path) -> None:
    done = run(photos, "--shard", "0/4")
    assert done.exit_code == 2
    assert "shards of 4 are 1 to 4" in done.stderr


def test_failures_are_tried_again_alone(photos: Path) -> None:
    (photos / "bad.png").write_text("no picture")
    assert run(photos).exit_code == 3
    done = run(photos, "--retry-failed")
    assert done.exit_code == 1
    assert summary(done) == "0 done, 0 skipped, 1 failed"
    Image.new("RGB", (8, 8), (90, 90, 90)).save(photos / "bad.png")
    assert run(photos, "--retry-failed").exit_code == 0
    done = run(photos, "--retry-failed")
    assert (done.exit_code, summary(done)) == (0, "0 done, 0 skipped, 0 failed")


def test_watching_ends_by_time_or_signal(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.02)
    done = run(photos, "--watch", "--for", "0.2s")
    assert done.exit_code == 0, done.output
    assert f"watching {photos}; Ctrl-C ends it" in done.stderr
    written = write.write

    signals = [signal.SIGINT]

    def interrupted(*given: Any) -> Any:
        if signals:
            os.kill(os.getpid(), signals.pop())
        return written(*given)

    monkeypatch.setattr("intrinsic_cli.runs.decompose.photos.write", interrupted)
    done = run(photos, "--watch", "--force")
    assert done.exit_code == 130
    assert "1 done" in done.stderr, "the photo it was at is finished"


@pytest.mark.parametrize(
    "words", [("--for", "9s"), ("--watch", "--retry-failed"), ("--watch", "--layers", "x")]
)
def test_what_makes_no_sense_together_is_a_slip(words: tuple[str, ...], photos: Path) -> None:
    assert run(photos, *words).exit_code == 2


@pytest.mark.parametrize("word", ["--watch", "--retry-failed"])
def test_one_file_is_for_one_photo(word: str, photos: Path) -> None:
    words = ("decompose", str(photos / "0.png"), *RETINEX, "--layers", "albedo", "-o", "-", word)
    done = CliRunner().invoke(iid, words)
    assert done.exit_code == 2
    assert "give -o a folder" in done.stderr


def test_a_full_disk_is_told_in_a_sentence(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(write, "write_outputs", full)
    done = run(photos)
    out = photos.parent / "out"
    assert done.exit_code == 1
    error, hint = [line for line in done.stderr.splitlines() if line.startswith(("iid:", "hint:"))]
    assert error == f"iid: cannot write to {out}: No space left on device (0 of 4 photos are done)"
    assert hint.endswith("run the same command again: it goes on where it stopped")
    monkeypatch.undo()
    done = run(photos)
    assert (done.exit_code, summary(done)) == (0, "4 done, 0 skipped, 0 failed")
    marker = json.loads((out / "iid-manifest.done.json").read_text())
    assert (marker["done"], marker["method"]) == (4, "retinex")
