"""What a trainer's step calls with a loss."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.optim import Optimizer

from intrinsic_cli.api import Runtime, Trainer
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.promises import minimised_twice, unknown_optimizer
from intrinsic_cli.kit.training.schedule import set_rate


class Minimiser:
    """``minimise(loss, name)``: zero, scale, backward, average over processes, clip and step;
    for each optimizer at most once until :meth:`end_step`. PluginError otherwise.

    ``clip`` is the norm above which gradients are scaled down (0 = never). In fp16 ``scaler`` keeps
    small gradients from vanishing."""

    def __init__(
        self, trainer: Trainer, runtime: Runtime, clip: float, processes: Processes
    ) -> None:
        self._device = runtime.device.type
        self.scaler = torch.amp.GradScaler(self._device, enabled=runtime.precision == "fp16")
        self._trainer, self._clip, self._processes = trainer, clip, processes
        self._norms: dict[str, Tensor] = {}

    def __call__(self, loss: Tensor, name: str) -> None:
        optimizers = self._trainer.optimizers
        if name not in optimizers:
            raise unknown_optimizer(name, optimizers, self._trainer)
        if name in self._norms:
            raise minimised_twice(name, self._trainer)
        optimizer = optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self._device, enabled=False):
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # untyped in torch
        self._processes.average_gradients(optimizer)
        self._norms[name] = self._limit(optimizer)
        self.scaler.step(optimizer)

    def _limit(self, optimizer: Optimizer) -> Tensor:
        """Scale gradients down to ``clip``. Returns a norm of those there were, which is not finite
        where one of them is not; nobody waits for it here."""
        weights = [x for group in optimizer.param_groups for x in group["params"]]
        if self._clip:
            self.scaler.unscale_(optimizer)
            return clip_grad_norm_(weights, self._clip)
        return get_total_norm([x.grad for x in weights if x.grad is not None], math.inf)

    def set_rates(self, factor: float) -> None:
        """Bring every learning rate to ``factor`` of its peak."""
        for optimizer in self._trainer.optimizers.values():
            set_rate(optimizer, factor)

    def end_step(self) -> Mapping[str, Tensor]:
        """Once after all losses of a step. Returns norms of the gradients by optimizer; none in
        fp16, where steps whose gradients are not finite are left out."""
        norms, self._norms = self._norms, {}
        if not self.scaler.is_enabled():
            return norms
        self.scaler.update()
        return {}
