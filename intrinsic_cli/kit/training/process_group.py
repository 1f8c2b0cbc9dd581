"""How processes that train together come to be, and find each other."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from intrinsic_cli.kit.networks.device import LOCAL_RANKS
from intrinsic_cli.kit.training.distributed import Processes


@contextmanager
def started(
    count: int, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> Iterator[Processes]:
    """Lead ``count`` processes inside the block; the others call ``work(processes,
    *arguments)``."""
    if count == 1:
        yield Processes()
        return
    with tempfile.TemporaryDirectory(prefix="iid-processes-") as folder:
        address = Path(folder, "address").as_uri()
        others = _start_others(count, address, work, arguments)
        try:
            yield _join_here(0, count, address)
            for process in others:
                process.join()
        finally:
            for process in others:
                process.kill()
            _leave()


@contextmanager
def joined(rank: int, count: int, address: str, here: int) -> Iterator[Processes]:
    """Be number ``rank`` of ``count`` processes inside the block, which somebody else has started,
    ``here`` of them on this machine; they meet at ``address``."""
    try:
        yield _join(rank, count, address, here)
    finally:
        _leave()


def _start_others(
    count: int, address: str, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> list[SpawnProcess]:
    spawn = multiprocessing.get_context("spawn")
    others = []
    for rank in range(1, count):
        given = (rank, count, address, work, arguments)
        process = spawn.Process(target=_follow, args=given, daemon=True)
        process.start()
        others.append(process)
    return others


def _follow(
    rank: int, count: int, address: str, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    os.environ[LOCAL_RANKS[0]] = str(rank)
    work(_join_here(rank, count, address), *arguments)
    _leave()


def _join_here(rank: int, count: int, address: str) -> Processes:
    """All are on this machine: its own loopback is all the network they need."""
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    return _join(rank, count, address, count)


def _join(rank: int, count: int, address: str, here: int) -> Processes:
    """The processes of a machine share its cores."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // max(1, here)))
    dist.init_process_group(_backend(here), init_method=address, rank=rank, world_size=count)
    return Processes(rank, count)


def _backend(here: int) -> str:
    """NCCL, which is quicker, wants a GPU for each process of a machine."""
    if torch.cuda.is_available() and 0 < here <= torch.cuda.device_count():
        return "cpu:gloo,cuda:nccl"
    return "gloo"


def _leave() -> None:
    """Networks that were trained together hold the group's threads, in circles of references: they
    are let go here, as such a thread that outlives the interpreter may abort the process."""
    if dist.is_initialized():
        dist.destroy_process_group()
    gc.collect()
