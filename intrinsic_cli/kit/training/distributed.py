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


class Team:
    """A member's view of its team; a team of one costs nothing. The leader (rank 0) validates,
    saves and reports."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def begin_alike(self, nets: Mapping[str, nn.Module]) -> None:
        """Give every member the leader's weights."""
        if self.size > 1:
            for net in nets.values():
                for x in net.state_dict().values():
                    dist.broadcast(x, 0)

    def average(self, optimizer: Optimizer) -> None:
        """Replace the gradients of ``optimizer`` by their mean over the team, in one exchange."""
        if self.size == 1:
            return
        gradients = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split_with_sizes(flat, [g.numel() for g in gradients])
        torch._foreach_copy_(
            gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)]
        )

    def any(self, flag: bool) -> bool:
        """Whether any member says so; every member gets the same answer."""
        if self.size == 1:
            return flag
        votes: Tensor = torch.tensor(float(flag))
        dist.all_reduce(votes)
        return bool(votes)

    def meet(self) -> None:
        """Wait for everybody."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def gathered(size: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Iterator[Team]:
    """Lead a team of ``size`` processes inside the block; the others call ``work(team,
    *arguments)``."""
    if size == 1:
        yield Team()
        return
    with tempfile.TemporaryDirectory(prefix="iid-team-") as folder:
        meeting = Path(folder, "meeting").as_uri()
        spawn = multiprocessing.get_context("spawn")
        members: list[SpawnProcess] = [
            spawn.Process(target=_member, args=(rank, size, meeting, work, arguments), daemon=True)
            for rank in range(1, size)
        ]
        for member in members:
            member.start()
        try:
            yield _join(0, size, meeting)
            for member in members:
                member.join()
        finally:
            for member in members:
                member.kill()
            dist.destroy_process_group()


def _member(
    rank: int, size: int, meeting: str, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    work(_join(rank, size, meeting), *arguments)
    dist.destroy_process_group()


def _join(rank: int, size: int, meeting: str) -> Team:
    """Processes share the cores; the machine's own loopback is all the network they need."""
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // size))
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    return Team(rank, size)
