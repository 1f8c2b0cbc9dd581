"""A method without weights for tests of ``decompose``: shading is a power of brightness."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from intrinsic_cli.api import (
    Decomposer,
    Frame,
    Method,
    MethodSpec,
    Runtime,
    Source,
    TrainConfig,
    Trainer,
    Variant,
    knob,
)
from intrinsic_cli.registry import Registry


@dataclass(frozen=True, slots=True)
class PowerOptions:
    power: float = knob(0.5, "how much of the brightness is light")


DEFAULT = Variant(layers=("albedo", "shading"), options=PowerOptions, stages=())
SPEC = MethodSpec(
    "power",
    "brightness to a power",
    "light_method:Power",
    (DEFAULT, replace(DEFAULT, name="soft")),
)
REGISTRY = Registry(methods={SPEC.name: SPEC})


class Power(Method[PowerOptions, TrainConfig]):
    def decomposer(
        self, state: Mapping[str, Any], options: PowerOptions, runtime: Runtime
    ) -> Decomposer:
        return PowerDecomposer(options)

    def trainer(self, stage: str, config: TrainConfig, source: Source, runtime: Runtime) -> Trainer:
        raise NotImplementedError


class PowerDecomposer(Decomposer):
    frame = Frame(size=64, multiple=16)

    def __init__(self, options: PowerOptions) -> None:
        self.options = options

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        time.sleep(float(os.environ.get("POWER_SLEEP", "0")))
        return {"shading": photos.mean(1, keepdim=True).add(0.01) ** self.options.power}
