"""Trainers with a known answer, shared by the tests of the loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from intrinsic_cli.api import Runtime, TrainConfig, Trainer
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.loop import Loop


class Line(Trainer):
    """Learns y = 3 x from noisy batches; draws from torch's generator as real trainers do."""

    def __init__(self, poison: int = -1) -> None:
        torch.manual_seed(0)
        self.net = nn.Linear(1, 1, bias=False)
        self.nets = {"line": self.net}
        self.optimizers = {"line": torch.optim.Adam(self.net.parameters(), 0.1)}
        self.poison, self.prepared = poison, 0

    def setup(self) -> None:
        self.prepared += 1

    def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        for n in range(start, start + (100000 if split == "train" else 2)):
            x = torch.randn(4, 1, generator=torch.Generator().manual_seed(n))
            yield {"x": x, "n": torch.tensor(n)}

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        target = 3 * batch["x"] + 0.01 * torch.randn(4, 1)
        loss = (self.net(batch["x"]) - target).square().mean()
        loss = loss * (float("nan") if int(batch["n"]) == self.poison else 1)
        minimise(loss, "line")
        return {"square": loss.detach()}

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        torch.rand(3)  # a validation that draws must not change the training that follows
        return {"loss": (self.net(batch["x"]) - 3 * batch["x"]).square().mean()}


class Modes(Line):
    """Notes in which mode and with which weights it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.learning: list[bool] = []
        self.scoring: list[tuple[bool, bool, float]] = []

    def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
        self.learning.append(self.net.training)
        return super().step(batch, minimise, number)

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        told = (self.net.training, torch.is_grad_enabled(), self.net.weight.item())
        self.scoring.append(told)
        return super().validate(batch)


def loop(
    folder: Path,
    trainer: Trainer,
    rank: int = 0,
    clock: Any = None,
    **config: Any,
) -> Loop:
    """A loop of 60 steps on the CPU."""
    given = {"steps": 60, "val_every": 20, "save_every": 10, "warmup": 5, "ema": 0.9, **config}
    runtime, more = Runtime(torch.device("cpu")), {"clock": clock} if clock else {}
    record = {"method": "line"}
    return Loop(trainer, TrainConfig(**given), folder, runtime, record, Processes(rank), **more)


class Told:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps = 0

    def start(self, label: str, total: int | None) -> None: ...
    def finish(self) -> None: ...
    def advance(self, by: int = 1, facts: Any = None) -> None:
        self.steps += by

    def note(self, text: str) -> None:
        self.notes.append(text)
