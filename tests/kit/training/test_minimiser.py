"""What happens to a loss, in order."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from line_trainer import Line
from torch import Tensor

from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.minimiser import Minimiser


class Scaler:
    """A loss scaler that notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def scale(self, loss: Tensor) -> Tensor:
        self.calls.append("scale")
        return 8 * loss

    def unscale_(self, optimizer: Any) -> None:
        self.calls.append("unscale")
        for group in optimizer.param_groups:
            for weight in group["params"]:
                weight.grad /= 8

    def step(self, optimizer: Any) -> None:
        self.calls.append("step")
        optimizer.step()

    def is_enabled(self) -> bool:
        return True

    def update(self) -> None:
        self.calls.append("update")


class Averaging(Processes):
    """Two processes, of which the other one has a gradient of 0."""

    def average_gradients(self, optimizer: Any) -> None:
        for weight in optimizer.param_groups[0]["params"]:
            weight.grad /= 2


def test_small_gradients_are_scaled_in_fp16_on_every_device() -> None:
    """Warnings are errors: torch says so where it does not scale."""
    trainer = Line()
    trainer.optimizers = {"line": torch.optim.SGD(trainer.net.parameters(), 1.0)}
    runtime = Runtime(torch.device("cpu"), "fp16")
    minimise = Minimiser(trainer, runtime, 1.0, Processes())
    assert minimise.scaler.is_enabled()
    before = trainer.net.weight.item()
    minimise(0.5 * trainer.net.weight.sum(), "line")
    assert before - trainer.net.weight.item() == pytest.approx(0.5, rel=1e-4)
    assert minimise.end_step() == {}, "a step that is not finite is left out, not an error"


@pytest.mark.parametrize(("clip", "moved"), [(0.25, 0.25), (100.0, 2.0)])
def test_gradients_are_unscaled_and_averaged_before_they_are_clipped(
    clip: float, moved: float
) -> None:
    trainer = Line()
    trainer.optimizers = {"line": torch.optim.SGD(trainer.net.parameters(), 1.0)}
    minimise = Minimiser(trainer, Runtime(torch.device("cpu")), clip, Averaging())
    scaler = Scaler()
    minimise.scaler = scaler  # type: ignore[assignment]  # says what it is asked for
    for _ in range(2):  # gradients of the first step are gone in the second
        before = trainer.net.weight.item()
        minimise(4 * trainer.net.weight.sum(), "line")
        assert before - trainer.net.weight.item() == pytest.approx(moved, rel=1e-4)
        minimise.end_step()
    assert scaler.calls == ["scale", "unscale", "step", "update"] * 2
