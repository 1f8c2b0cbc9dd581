"""A method of two stages: the first learns a net that the second goes on with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Method,
    MethodSpec,
    Runtime,
    TrainConfig,
    Trainer,
    Variant,
)
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.registry import Registry, load_registry

SMALL = ("batch_size=1", "crop=16", "save_every=5", "val_every=50", "val_batches=1")
DEFAULT = Variant(
    layers=("albedo", "shading"), needs=frozenset({"photo", "shading"}), stages=("code", "answer")
)
SPEC = MethodSpec("toy", "two stages", f"{__name__}:Toy", (DEFAULT,))


def registry() -> Registry:
    known = load_registry()
    return Registry({**known.methods, "toy": SPEC}, known.datasets)


def gain(value: float = 0.5) -> nn.Module:
    net = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return net


class Stage(Trainer):
    """Stage ``code`` learns the net ``code``; ``answer`` freezes it and learns ``answer``."""

    def __init__(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> None:
        self._stage, self._config, self._source = stage, config, source
        self.nets = {"code": gain()}
        if stage == "answer":
            self.nets["answer"] = gain()
            if "code" in runtime.parents:
                load_into(self.nets["code"], runtime.parents["code"], "code")
        learned = self.nets[stage].parameters()
        self.optimizers = {"adam": torch.optim.Adam(learned, config.lr)}

    def batches(self, split: Any, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        c = self._config
        return self._source.batches(split, c.batch_size, c.crop, c.seed, start)

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        loss = self._loss(batch)
        minimise(loss, "adam")
        return {"loss": loss.detach()}

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": self._loss(batch)}

    def _loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        x = batch["photo"].mean(1, keepdim=True)
        for net in self.nets.values():
            x = net(x)
        return (x - batch["shading"]).abs().mean()


class ToyDecomposer(Decomposer):
    frame = Frame()

    def __init__(self, nets: list[nn.Module]) -> None:
        self._nets = nets

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        x = photos.mean(1, keepdim=True)
        for net in self._nets:
            x = net(x)
        return {"shading": x.clamp_min(0.01)}


class Toy(Method[Any, TrainConfig]):
    def decomposer(self, state: Any, options: Any, runtime: Runtime) -> Decomposer:
        nets = [gain(), gain()]
        for name, net in zip(("code", "answer"), nets, strict=True):
            load_into(net, state, name)
        return ToyDecomposer(nets)

    def trainer(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> Trainer:
        return Stage(stage, config, source, runtime)
