"""Batches made by processes: the same, in the same order, and errors where they belong."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import count, islice

import pytest
import torch
from line_trainer import Line
from torch import Tensor

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files import available_cores
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.training import batch_workers
from intrinsic_cli.kit.training.batch_workers import made_by_workers, worker_count

CPU, GPU = torch.device("cpu"), torch.device("cuda")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")


class Lacking(Line):
    """From its fifth batch on a file is missing."""

    def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        if start >= 4:
            raise DataError("a.png is gone", "bring it back")
        return super().batches(split, start)


class Ending(Line):
    """It has three batches."""

    def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        return islice(super().batches(split, start), max(0, 3 - start))


class Threaded(Line):
    """Its batches tell in how many threads OpenCV works where they are made."""

    def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        yield {"threads": torch.tensor(cv2.getNumThreads())}


def test_they_come_in_order() -> None:
    expected = islice(Line().batches("train", 1), 0, 12, 2)
    made = made_by_workers(Line(), count(1, 2), 2)
    for found, batch in zip(islice(made, 6), expected, strict=True):
        assert torch.equal(found["x"], batch["x"])
        assert torch.equal(found["n"], batch["n"])
    made.close()


def test_an_error_comes_where_its_batch_would_have() -> None:
    made = made_by_workers(Lacking(), count(), 2)
    assert len(list(islice(made, 4))) == 4
    with pytest.raises(DataError, match=r"a\.png is gone") as caught:
        next(made)
    assert caught.value.hint == "bring it back"


def test_batches_that_end_end() -> None:
    assert len(list(islice(made_by_workers(Ending(), range(5), 1), 4))) == 3


def test_opencv_has_one_thread_in_a_worker() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    made = list(made_by_workers(Threaded(), range(2), 2))
    here = cv2.getNumThreads()
    cv2.setNumThreads(before)
    assert [int(batch["threads"]) for batch in made] == [1, 1]
    assert here == 2


def test_a_gpu_has_as_many_as_there_are_cores_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available_cores, "cores_here", lambda: 16)
    monkeypatch.delenv("SLURM_CPUS_ON_NODE", raising=False)
    assert worker_count(-1, CPU, 1) == 0
    assert [worker_count(-1, GPU, processes) for processes in (1, 2, 4, 16)] == [8, 7, 3, 0]
    assert (worker_count(3, CPU, 1), worker_count(0, GPU, 1)) == (3, 0)
    monkeypatch.setattr(batch_workers, "CAN_FORK", False)
    assert worker_count(3, GPU, 1) == 0
