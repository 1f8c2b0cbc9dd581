"""How much is under way at a time follows device, cores and memory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import Any

import pytest
import torch

from intrinsic_cli.kit.files.available_cores import cores_here
from intrinsic_cli.kit.inference.room import LARGEST_BATCH
from intrinsic_cli.runs.decompose import workers
from intrinsic_cli.runs.decompose.workers import (
    choose_workers,
    leave_cores,
    photos_at_a_time,
)

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """64 GiB, and a GPU that has 24 GiB left."""
    monkeypatch.setattr(workers, "memory", lambda: 64 << 30)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (24 << 30, 32 << 30))
    return monkeypatch


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("cores", "writers"), [(1, 1), (2, 2), (8, 2), (64, 16)])
def test_on_the_cpu_photos_are_done_one_by_one(cores: int, writers: int) -> None:
    made = choose_workers(CPU, None, cores)
    assert (made.readers, made.batch, made.writers, made.pixels) == (1, 1, writers, None)
    assert made.written == writers * workers.PIXELS_WRITTEN
    assert choose_workers(CPU, 5, cores).batch == 5


def test_a_batch_fits_the_memory_of_the_gpu_and_of_the_machine(machine: Any) -> None:
    made = choose_workers(CUDA, None, 16)
    assert (made.readers, made.batch, made.writers) == (4, LARGEST_BATCH, 12)
    assert made.pixels == (24 << 30) // workers.BYTES_ON_DEVICE // workers.PART
    machine.setattr(workers, "memory", lambda: 4 << 30)
    made = choose_workers(CUDA, None, 16)
    assert made.writers == 4
    assert made.pixels == (4 << 30) // workers.BYTES_PER_PIXEL // workers.PART


@pytest.mark.usefixtures("machine")
def test_a_batch_asked_for_is_taken() -> None:
    made = choose_workers(CUDA, 3, 16)
    assert (made.batch, made.pixels) == (3, None)


@pytest.mark.usefixtures("machine")
def test_frames_of_a_video_fill_no_more_than_a_batch_of_photos() -> None:
    fits = choose_workers(CUDA, None, 1).pixels
    assert fits is not None
    assert photos_at_a_time(CUDA, None, fits // 3) == 3
    assert photos_at_a_time(CUDA, None, fits * 2) == 1
    assert photos_at_a_time(CUDA, None, 1000) == LARGEST_BATCH
    assert photos_at_a_time(CUDA, 5, fits) == 5
    assert photos_at_a_time(CPU, None, 1000) == 1


def test_what_the_user_says_of_waiting_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    leave_cores()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    leave_cores()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert 1 <= cores_here() <= (os.cpu_count() or 1)


TOUCH = """
import resource
from concurrent.futures import ThreadPoolExecutor
from intrinsic_cli.runs.decompose.workers import keep_memory

def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [b"x" * (1 << 20) for _ in range(40)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def elsewhere():
    return pools.pop().submit(fetched).result()

pools = [ThreadPoolExecutor(1) for _ in range(5)]
{call}
first = {place}()
print(first, sum({place}() for _ in range(4)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
@pytest.mark.parametrize("place", ["fetched", "elsewhere"])
def test_memory_given_back_is_not_fetched_again(place: str) -> None:
    shares = {}
    for call in ("keep_memory()", ""):
        words = [sys.executable, "-c", TOUCH.format(call=call, place=place)]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        first, later = map(int, told.split())
        shares[call] = later / first
    assert shares["keep_memory()"] < 0.5 < shares[""]
