"""Made-up methods to evaluate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from intrinsic_cli.api import (
    Frame,
    Method,
    MethodSpec,
    Scorer,
    knob,
)
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.registry import Registry


@dataclass(frozen=True, slots=True)
class GrayOptions:
    """One knob."""

    gain: float = knob(1.0, "multiplies the shading")


@dataclass(frozen=True, slots=True)
class GrayDecomposer:
    """Shading is the photo's gray."""

    gain: float
    frame: Frame = field(default_factory=Frame)

    def __call__(self, photos: Tensor) -> dict[str, Tensor]:
        shading = photos.mean(1, keepdim=True).clamp(min=1e-4) * self.gain
        return {"albedo": photos / shading, "shading": shading}


class Gray(Method[GrayOptions, Any]):
    """Needs no training."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Any) -> GrayDecomposer:
        return GrayDecomposer(options.gain)

    def trainer(self, stage: str, config: Any, source: Any, runtime: Any) -> Any:
        raise NotImplementedError


class Proud(Gray):
    """Brings a scorer of its own."""

    def scorer(self, runtime: Any) -> Scorer:
        return lambda case, layers: {"brightness": float(np.mean(layers["shading"]))}


def spec(name: str, target: str, **more: Any) -> MethodSpec:
    target = f"{__name__}:{target}"
    return MethodSpec(name, name, target, ("albedo", "shading"), **{"stages": (), "options": GrayOptions, **more})


class Picky(Gray):
    """Cannot stand the box."""

    def scorer(self, runtime: Any) -> Scorer:
        def look(case: Any, layers: Any) -> dict[str, float]:
            CALLS.append(case.name)
            return {"part": 1 / (case.name != "box")}

        return look


CALLS: list[str] = []
METHODS = (
    *(spec("gray", "Gray"), spec("proud", "Proud"), spec("picky", "Picky")),
    *(spec("twin", "Gray", variants=("small",)), spec("untrained", "Gray", stages=("main",))),
)
REGISTRY = Registry({m.name: m for m in METHODS}, {d.name: d for d in DATASETS})
