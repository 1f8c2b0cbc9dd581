"""Losses since the last report. They stay on the device until then: looking at a number makes
everybody wait for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from intrinsic_cli.api import TrainingError


class RecentLosses:
    """Losses of the steps since the last report."""

    def __init__(self) -> None:
        self._names: list[tuple[int, str]] = []
        self._losses: list[Tensor] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Remember the losses of a step without waiting for them."""
        for name, loss in losses.items():
            self._names.append((step, name))
            self._losses.append(loss.float().reshape(()))

    def take_means(
        self, over_processes: Callable[[Tensor], Tensor] = lambda losses: losses
    ) -> dict[str, float]:
        """Their means by name, and begin anew. TrainingError names the first loss that is not
        finite."""
        numbers = over_processes(torch.stack(self._losses)).tolist()
        columns: dict[str, list[float]] = {}
        for (step, name), number in zip(self._names, numbers, strict=True):
            if not math.isfinite(number):
                hint = "try a lower learning rate (--set lr=…)"
                raise TrainingError(f"the loss {name!r} is not finite at step {step}", hint)
            columns.setdefault(name, []).append(number)
        self._names.clear()
        self._losses.clear()
        return {name: sum(column) / len(column) for name, column in columns.items()}
