"""Made-up methods to evaluate, and what a plugin may bring beside them: a protocol and a dataset
that is scored by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from intrinsic_cli.api import (
    Case,
    DatasetSpec,
    Decomposer,
    Frame,
    Mesh,
    Method,
    MethodSpec,
    Metric,
    Outputs,
    Protocol,
    ProtocolSpec,
    Variant,
    knob,
)
from intrinsic_cli.datasets import DATASETS
from intrinsic_cli.kit.data.mit import Mit
from intrinsic_cli.protocols import PROTOCOLS
from intrinsic_cli.registry import Registry

#: The photos that :class:`Picky` was given, in order.
CALLS: list[str] = []


@dataclass(frozen=True, slots=True)
class GrayOptions:
    """One knob."""

    gain: float = knob(1.0, "multiplies the shading")


@dataclass(frozen=True, slots=True)
class GrayDecomposer(Decomposer):
    """Shading is the photo's gray."""

    gain: float
    frame: Frame = field(default_factory=Frame)

    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        shading = photos.mean(1, keepdim=True).clamp(min=1e-4) * self.gain
        return {"albedo": photos / shading, "shading": shading}


class Gray(Method[GrayOptions, Any]):
    """Needs no training."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Any) -> Decomposer:
        return GrayDecomposer(options.gain)

    def trainer(self, stage: str, config: Any, source: Any, runtime: Any) -> Any:
        raise NotImplementedError


class PickyDecomposer(GrayDecomposer):
    """Cannot stand the box."""

    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        CALLS.append(object_in(photos))
        1 / (CALLS[-1] != "box")
        return GrayDecomposer.__call__(self, photos)


class Picky(Gray):
    """Tells whose photo it is by its colour."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Any) -> Decomposer:
        return PickyDecomposer(options.gain)


class SculptorDecomposer(GrayDecomposer):
    """Also hands out a mesh and a record."""

    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        corners = torch.zeros(3, 3)
        return Outputs(
            layers=dict(GrayDecomposer.__call__(self, photos)),  # type: ignore[arg-type]  # layers
            meshes={"mesh": [Mesh(corners, torch.tensor([[0, 1, 2]])) for _ in photos]},
            records={"light": [{"strength": 2.5} for _ in photos]},
        )


class Sculptor(Gray):
    """A method with outputs of several kinds."""

    def decomposer(self, state: Any, options: GrayOptions, runtime: Any) -> Decomposer:
        return SculptorDecomposer(options.gain)


def object_in(photos: Tensor) -> str:
    """Which of the three objects of the fixture ``lab`` has the colour of this photo."""
    colour = photos[0].mean((1, 2)).numpy()[::-1]  # OpenCV wrote them as blue, green, red
    fits = {}
    for number, name in enumerate(("apple", "box", "cup")):
        known = 0.2 + 0.6 * np.random.default_rng(number).random(3)
        fits[name] = float(known @ colour / np.linalg.norm(known))
    return max(fits, key=lambda name: fits[name])


class Brightest:
    """The brightest shading of all photos, in mean and maximum: no mean over photos."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def add(self, case: Case, answer: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        self.seen.append(scores["brightness"])

    def scores(self) -> dict[str, float]:
        return {"brightest": max(self.seen)} if self.seen else {}

    def drawn(self) -> dict[str, Any]:
        gray = np.array(self.seen) * 99
        return {"steps": np.tile(gray.astype(np.uint8)[None, :, None], (5, 1, 3))}


def brightness(case: Case, answer: Mapping[str, Any]) -> dict[str, float]:
    """What a plugin measures: the mean shading, and what it was told beside."""
    if "shading" not in answer:
        return {}
    scores = {"brightness": float(np.mean(answer["shading"]))}
    if "light" in answer:
        scores["strength"] = answer["light"]["strength"]
        scores["corners"] = float(len(answer["mesh"][0].vertices))
    return scores


BRIGHTNESS = Protocol(
    name="brightness",
    summary="how much light there is",
    source="nobody's",
    score=brightness,
    metrics={"brightness": Metric("higher", "lx", "light"), "brightest": Metric("higher", "lx")},
    headline="brightness",
    reads=("light", "mesh"),
    pool=Brightest,
    pictures=Brightest.drawn,
    baselines={"darkness": lambda case: {"shading": np.zeros_like(case.photo[..., :1])}},
    shows=("shading",),
)


def open_lab(path: Path) -> Mit:
    """The objects of ``lab``, scored by the plugin's protocol."""
    return Mit(path, protocol="brightness")


def open_lost(path: Path) -> Mit:
    """The same by a protocol that nobody brings."""
    return Mit(path, protocol="brihgtness")


def spec(name: str, target: str, names: tuple[str, ...] = ("",), **more: Any) -> MethodSpec:
    usual = {"layers": ("albedo", "shading"), "stages": (), "options": GrayOptions}
    default = Variant(**{**usual, **more})
    variants = tuple(replace(default, name=variant) for variant in names)
    return MethodSpec(name, name, f"{__name__}:{target}", variants)


METHODS = (
    spec("gray", "Gray"),
    spec("picky", "Picky"),
    spec("bold", "Gray", measured_with={"gain": 2.0}),
    spec("sculptor", "Sculptor", layers=("albedo", "shading", "mesh", "light")),
    spec("twin", "Gray", names=("", "small")),
    spec("untrained", "Gray", stages=("main",)),
)
LABS = (
    DatasetSpec("lab", "three objects", f"{__name__}:open_lab", frozenset({"photo"})),
    DatasetSpec("lost", "three objects", f"{__name__}:open_lost", frozenset({"photo"})),
)
REGISTRY = Registry(
    methods={method.name: method for method in METHODS},
    datasets={dataset.name: dataset for dataset in (*DATASETS, *LABS)},
    protocols={
        protocol.name: protocol
        for protocol in (*PROTOCOLS, ProtocolSpec("brightness", f"{__name__}:BRIGHTNESS"))
    },
)
