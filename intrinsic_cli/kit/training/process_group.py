"""How processes that train together come to be, and find each other."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from intrinsic_cli.api import TrainingError
from intrinsic_cli.kit.files.available_cores import cores_each
from intrinsic_cli.kit.networks.device import LOCAL_RANKS
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.terminal import signals_left

WATCH_EVERY = 1.0  # seconds between looks at whether the leading process is still there
LOOK = 0.02  # seconds between looks at whether the others are about to join


@contextmanager
def started(
    count: int, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> Iterator[Processes]:
    """Lead ``count`` processes inside the block; the others call ``work(processes,
    *arguments)``. None of them outlives the block, or this process."""
    if count == 1:
        yield Processes()
        return
    others: list[SpawnProcess] = []
    with tempfile.TemporaryDirectory(prefix="iid-processes-") as name:
        folder = Path(name)
        try:
            for rank in range(1, count):
                other = _start(rank, count, folder, work, arguments)
                others.append(other)
            _await(others, folder)
            yield _join_here(0, count, folder)
            for process in others:
                process.join()
        finally:
            _end(others)
            _leave()


@contextmanager
def joined(rank: int, count: int, address: str, here: int) -> Iterator[Processes]:
    """Be number ``rank`` of ``count`` processes inside the block, which somebody else has started,
    ``here`` of them on this machine; they meet at ``address``."""
    try:
        yield _join(rank, count, address, here)
    finally:
        _leave()


def _start(
    rank: int, count: int, folder: Path, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> SpawnProcess:
    """Not daemonic, as such a process may have none of its own to make batches. One that Ctrl-C
    ended while it is starting would never come to the meeting."""
    given = (rank, count, folder, work, arguments)
    process = multiprocessing.get_context("spawn").Process(target=_follow, args=given)
    with signals_left():
        process.start()
    return process


def _await(others: Sequence[SpawnProcess], folder: Path) -> None:
    """Wait until all others are about to join. TrainingError where one has ended instead: whoever
    joins waits in torch, which hears of nothing, for as long as half an hour."""
    waiting = dict(enumerate(others, 1))
    while waiting:
        for rank, process in list(waiting.items()):
            if _is_ready(rank, folder).exists():
                del waiting[rank]
            elif not process.is_alive():
                message = f"process {rank} of --nproc ended as it began ({process.exitcode})"
                raise TrainingError(message, "memory may be short: try fewer processes")
        time.sleep(LOOK)


def _is_ready(rank: int, folder: Path) -> Path:
    """The file by which a process says that it is about to join."""
    return folder / f"{rank}.ready"


def _end(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _follow(
    rank: int, count: int, folder: Path, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    threading.Thread(target=_end_with_leader, daemon=True).start()
    os.environ[LOCAL_RANKS[0]] = str(rank)
    _is_ready(rank, folder).touch()
    work(_join_here(rank, count, folder), *arguments)
    _leave()


def _end_with_leader() -> None:
    """Wait for the end of the process that started this one, and end this one, whatever it is
    at: a leader that was killed cannot do so."""
    leader = multiprocessing.parent_process()
    while leader is not None and leader.is_alive() and not _is_orphan(leader.pid):
        leader.join(WATCH_EVERY)
    os._exit(1)


def _is_orphan(leader: int | None) -> bool:
    """Has the system given this process another parent? What the leader forked may keep it looking
    alive for a while."""
    return os.name == "posix" and os.getppid() != leader


def _join_here(rank: int, count: int, folder: Path) -> Processes:
    """All are on this machine: its own loopback is all the network they need."""
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    return _join(rank, count, (folder / "address").as_uri(), count)


def _join(rank: int, count: int, address: str, here: int) -> Processes:
    """The processes of a machine share its cores."""
    torch.set_num_threads(cores_each(here))
    dist.init_process_group(_backend(here), init_method=address, rank=rank, world_size=count)
    return Processes(rank, count, here)


def _backend(here: int) -> str:
    """NCCL, which is quicker, wants a GPU for each process of a machine."""
    if torch.cuda.is_available() and here <= torch.cuda.device_count():
        return "cpu:gloo,cuda:nccl"
    return "gloo"


def _leave() -> None:
    """Networks that were trained together hold the group's threads, in circles of references: they
    are let go here, as such a thread that outlives the interpreter may abort the process."""
    if dist.is_initialized():
        dist.destroy_process_group()
    gc.collect()
