"""Made-up methods to evaluate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from intrinsic_cli.api import Decomposer, Frame, Method, MethodSpec, Variant, knob
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.registry import Registry


@dataclass(frozen=True, slots=True)
class GrayOptions:
    """One knob."""

    gain: float = knob(1.0, "multiplies the shading")


@dataclass(frozen=True, slots=True)
class GrayDecomposer(Decomposer):
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


def spec(name: str, target: str, names: tuple[str, ...] = ("",), **more: Any) -> MethodSpec:
    default = Variant(
        layers=("albedo", "shading"), **{"stages": (), "options": GrayOptions, **more}
    )
    variants = tuple(replace(default, name=variant) for variant in names)
    return MethodSpec(name, name, f"{__name__}:{target}", variants)


METHODS = (
    spec("gray", "Gray"),
    spec("twin", "Gray", names=("", "small")),
    spec("untrained", "Gray", stages=("main",)),
)
REGISTRY = Registry({m.name: m for m in METHODS}, {d.name: d for d in DATASETS})
