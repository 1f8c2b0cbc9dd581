"""Learning rates and weight averages over the life of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """The factor of the peak learning rate at ``step`` (from 0): linear warm-up, then half a cosine
    down to 1 %."""
    warmup = min(warmup, steps // 10)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Scale every group's own peak rate by ``factor``."""
    for group in optimizer.param_groups:
        group.setdefault("peak_lr", group["lr"])
        group["lr"] = group["peak_lr"] * factor


class Average:
    """An exponential moving average of all trainable weights; it starts short so that early steps
    are forgotten."""

    def __init__(self, nets: Mapping[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self.steps = 0
        parameters = [x for net in nets.values() for x in net.parameters()]
        self._live = [x for x in parameters if x.requires_grad]
        self._mean = [x.detach().clone() for x in self._live]

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights as they stand after a step into the average."""
        self.steps += 1
        if not self._live:
            return
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self._mean, [x.detach() for x in self._live], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside the block the networks carry the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for live, mean in zip(self._live, self._mean, strict=True):
            held = live.clone()
            live.copy_(mean)
            mean.copy_(held)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "mean": self._mean}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps = int(state["steps"])
        for mine, theirs in zip(self._mean, state["mean"], strict=True):
            mine.copy_(theirs)
