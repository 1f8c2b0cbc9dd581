"""Trainers of little networks on little scenes, and single steps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from iid_residual.settings import ResidualConfig
from iid_residual.trainer import ResidualTrainer
from intrinsic_cli.api import Runtime
from intrinsic_cli.testing_source import Tiny

CONFIG = ResidualConfig(
    steps=4, real_steps=4, batch_size=2, crop=64, pretrained="no", width=16, dis_width=4
)
NEEDS = ("photo", "albedo", "shading", "normals", "light", "mask")
SOURCE = Tiny(offers=frozenset(NEEDS))


def new_trainer(variant: str = "", stage: str = "synthetic", **more: Any) -> ResidualTrainer:
    parents = more.pop("parents", {})
    torch.manual_seed(0)
    runtime = Runtime(torch.device("cpu"), variant=variant, parents=parents)
    return ResidualTrainer(stage, replace(CONFIG, **more), SOURCE, runtime)


def first_batch(trainer: ResidualTrainer) -> dict[str, Tensor]:
    return dict(next(iter(trainer.batches("train"))))


class Steps:
    """Minimises, and remembers what was minimised by whom."""

    def __init__(self, trainer: ResidualTrainer) -> None:
        self.trainer = trainer
        self.names: list[str] = []

    def __call__(self, loss: Tensor, name: str) -> None:
        optimizer = self.trainer.optimizers[name]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.names.append(name)


def changed_parts(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> set[str]:
    """The parts some tensor of which is another one now."""
    return {key.partition(".")[0] for key, x in before.items() if not x.equal(after[key])}


def one_step(trainer: ResidualTrainer, number: int = 0, **more: Tensor) -> Mapping[str, Tensor]:
    for net in trainer.nets.values():
        net.train()
    return trainer.step(first_batch(trainer) | more, Steps(trainer), number)
