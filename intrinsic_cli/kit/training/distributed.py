"""Processes that train together: each on batches of its own, all with the same weights."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer


class Processes:
    """One process among those that train together; alone it costs nothing.

    The one of rank 0 leads: it validates, saves and reports."""

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share_weights(self, nets: Mapping[str, nn.Module]) -> None:
        """Give every process the weights of the leading one."""
        if self.count == 1:
            return
        for net in nets.values():
            for x in net.state_dict().values():
                dist.broadcast(x, 0)

    def average_gradients(self, optimizer: Optimizer) -> None:
        """Replace the gradients of ``optimizer`` by their mean over all processes, in one
        exchange."""
        if self.count == 1:
            return
        weights = [x for group in optimizer.param_groups for x in group["params"]]
        gradients = [x.grad for x in weights if x.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, flat.split_with_sizes(sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def any(self, flag: bool) -> bool:
        """Whether any process says so; every one gets the same answer."""
        if self.count == 1:
            return flag
        votes: Tensor = torch.tensor(float(flag))
        dist.all_reduce(votes)
        return bool(votes)

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.count > 1:
            dist.barrier()


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
            yield _join(0, count, address)
            for process in others:
                process.join()
        finally:
            for process in others:
                process.kill()
            if dist.is_initialized():
                dist.destroy_process_group()


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
    work(_join(rank, count, address), *arguments)
    dist.destroy_process_group()


def _join(rank: int, count: int, address: str) -> Processes:
    """Processes share the cores; the machine's own loopback is all the network they need."""
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=count)
    return Processes(rank, count)
