"""Batches made by processes of their own, for GPUs that are quicker than one thread can read.

What is made does not depend on who makes it: the n-th batch follows from the seed and n alone."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader, Dataset

from intrinsic_cli.api import IidError
from intrinsic_cli.kit.files.available_cores import cores_each
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.training.terminal import leave_signals

if TYPE_CHECKING:
    from intrinsic_cli.api import Trainer
    from intrinsic_cli.api.data import Batch

#: Processes for one GPU at most; a batch of eight crops takes one core about a quarter of a second.
MOST = 8
#: Forked, they have the dataset already; elsewhere than on Linux that is not safe.
CAN_FORK = sys.platform == "linux"


def worker_count(asked: int, device: torch.device, processes: int) -> int:
    """How many of them: ``asked``, or (-1) as the ``device`` needs and cores allow where
    ``processes`` train on this machine; 0 means a thread."""
    if not CAN_FORK:
        return 0
    if asked >= 0:
        return asked
    if device.type != "cuda":
        return 0
    return min(MOST, cores_each(processes) - 1)


def made_by_workers(
    trainer: Trainer, numbers: Iterable[int], count: int
) -> Generator[Batch, None, None]:
    """The training batches ``numbers`` in this order, made by ``count`` processes ahead of time; an
    IidError of theirs is raised here."""
    loader: Iterable[Any] = DataLoader(
        _Numbered(trainer),
        sampler=numbers,
        batch_size=None,
        num_workers=count,
        collate_fn=_as_it_is,
        worker_init_fn=_begin_worker,
        multiprocessing_context="fork",
    )
    for made in loader:
        if isinstance(made, IidError):
            raise made
        yield from made


class _Numbered(Dataset[Any]):
    """Training batches by number."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def __getitem__(self, number: int) -> list[Batch] | IidError:
        """One batch, none where they have ended, or what went wrong."""
        try:
            return list(batch_of(self._trainer, number))
        except IidError as error:
            return error


def batch_of(trainer: Trainer, number: int) -> Iterator[Batch]:
    """The training batch ``number`` alone; nothing where they have ended."""
    return islice(iter(trainer.batches("train", number)), 1)


def _as_it_is(made: Any) -> Any:
    return made


def _begin_worker(_: int) -> None:
    """A worker leaves signals to whoever trains, and OpenCV has one thread in it."""
    leave_signals()
    # Each worker would use all cores, and threads do not live on after a fork. 0 switches them off;
    # 1 would wait for the parent's, which are not here.
    cv2.setNumThreads(0)
