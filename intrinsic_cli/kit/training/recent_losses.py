"""Losses and gradients since the last report. They stay on the device until then: looking at a
number makes everybody wait for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from intrinsic_cli.api import TrainingError


class RecentLosses:
    """Losses of the steps since the last report, and norms of their gradients."""

    def __init__(self) -> None:
        self._names: list[tuple[int, str]] = []
        self._losses: list[Tensor] = []
        self._optimizers: list[tuple[int, str]] = []
        self._norms: list[Tensor] = []

    def add(self, step: int, losses: Mapping[str, Tensor], norms: Mapping[str, Tensor]) -> None:
        """Remember the losses of a step, and the norm of each optimizer's gradients, without
        waiting for them."""
        for name, loss in losses.items():
            self._names.append((step, name))
            self._losses.append(loss.float().reshape(()))
        for name, norm in norms.items():
            self._optimizers.append((step, name))
            self._norms.append(norm)

    def take_means(
        self, over_processes: Callable[[Tensor], Tensor] = lambda losses: losses
    ) -> dict[str, float]:
        """Means of the losses by name, and begin anew. TrainingError names the first loss, or the
        first gradient, that is not finite."""
        numbers = over_processes(torch.stack(self._losses)).tolist()
        self._require_finite(numbers)
        columns: dict[str, list[float]] = {}
        for (_, name), number in zip(self._names, numbers, strict=True):
            columns.setdefault(name, []).append(number)
        for remembered in (self._names, self._losses, self._optimizers, self._norms):
            remembered.clear()
        return {name: sum(column) / len(column) for name, column in columns.items()}

    def _require_finite(self, losses: Sequence[float]) -> None:
        """TrainingError for what came first. Of one step it is the loss, whose gradient follows
        from it."""
        lost = _first_not_finite(self._names, losses)
        steep = _first_not_finite(self._optimizers, _numbers(self._norms))
        if lost and not (steep and steep[0] < lost[0]):
            hint = "try a lower learning rate (--set lr=…)"
            raise TrainingError(f"the loss {lost[1]!r} is not finite at step {lost[0]}", hint)
        if steep:
            message = f"a gradient of optimizer {steep[1]!r} is not finite at step {steep[0]}"
            hint = "try a lower learning rate (--set lr=…); roots at 0 have such gradients, too"
            raise TrainingError(message, hint)


def _numbers(norms: Sequence[Tensor]) -> list[float]:
    """Optimizers, and so their norms, may be on several devices."""
    if not norms:
        return []
    numbers: list[float] = torch.stack([norm.to(norms[-1].device) for norm in norms]).tolist()
    return numbers


def _first_not_finite(
    named: Sequence[tuple[int, str]], numbers: Sequence[float]
) -> tuple[int, str] | None:
    """The step and the name of the first of ``numbers`` that is NaN or infinite."""
    for place, number in zip(named, numbers, strict=True):
        if not math.isfinite(number):
            return place
    return None
