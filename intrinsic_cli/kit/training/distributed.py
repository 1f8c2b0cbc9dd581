"""Processes that train together: each on its part of every batch, all with the same weights.

Gradients are averaged in ``minimise``, through which every loss of every plugin passes. torch's
DistributedDataParallel watches the ``forward`` of a net instead, and the backward pass that follows
it, one a forward: it does not see a stage that calls parts of its nets, and where two nets play
against each other it would exchange the gradients of the one that is standing still. What it is
quicker by is the exchange that it hides behind the backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count as counting
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

T = TypeVar("T")


def summed(x: Tensor) -> Tensor:
    """``x`` added up over all processes that train together, for what is counted, not minimised."""
    if dist.is_available() and dist.is_initialized():
        x = x.clone()
        dist.all_reduce(x)
    return x


class Processes:
    """One process among those that train together; alone it costs nothing.

    The one of rank 0 leads: it validates, saves and reports. ``here`` of them are on this machine,
    whose cores and memory they share (0: all are)."""

    def __init__(self, rank: int = 0, count: int = 1, here: int = 0) -> None:
        self.rank, self.count, self.here = rank, count, here or count

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
        lacking = [x for x in weights if x.grad is None]
        # A weight that one process did not use may be one that another did.
        gradients = [torch.zeros_like(x) if x.grad is None else x.grad for x in weights]
        used = gradients[0].new_tensor([x.grad is not None for x in weights])
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), used])
        dist.all_reduce(flat)
        flat /= self.count
        sizes = [gradient.numel() for gradient in gradients]
        *means, used = flat.split_with_sizes([*sizes, len(weights)])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))
        if lacking:
            _fill_in(weights, gradients, used.tolist())

    def average(self, numbers: Tensor) -> Tensor:
        """The mean of each over all processes."""
        if self.count == 1:
            return numbers
        there = numbers.detach().clone()
        dist.all_reduce(there)
        return there / self.count

    def any(self, flag: bool) -> bool:
        """Whether any process says so; every one gets the same answer."""
        return self.any_of([flag])[0]

    def any_of(self, flags: Sequence[bool]) -> list[bool]:
        """Of each flag whether any process says so."""
        if self.count == 1:
            return list(flags)
        votes: Tensor = torch.tensor(flags, dtype=torch.float32)
        dist.all_reduce(votes)
        return [vote > 0 for vote in votes.tolist()]

    def told_by_leader(self, value: T) -> T:
        """What the leading process has, a plain value."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, 0)
        return values[0]

    def wait(self) -> None:
        """Wait until every process is here."""
        self.any(False)

    def numbers(self, step: int) -> Iterator[int]:
        """The numbers of the batches that this process trains on, from ``step`` on: of those of a
        dataset every ``count``-th. As the n-th begins with the sample after the last of the one
        before, those of a step are what one process would see at a batch size as much larger."""
        return counting(step * self.count + self.rank, self.count)


def _fill_in(weights: Sequence[Tensor], gradients: Sequence[Tensor], used: Sequence[float]) -> None:
    """Give weights that have no gradient here the one that others found."""
    for weight, gradient, share in zip(weights, gradients, used, strict=True):
        if weight.grad is None and share > 0:
            weight.grad = gradient
