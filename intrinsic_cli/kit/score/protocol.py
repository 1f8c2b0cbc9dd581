"""What a protocol is, and the planes its functions work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from typing import Protocol as Shape

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.score.baselines import BASELINES, Baselines

Image = NDArray[Any]
Layers = Mapping[str, Image]
Figures = dict[str, float]


class Pool(Shape):
    """Figures that belong to a whole dataset and are no mean over its photos. One is made for every
    row of a table."""

    def add(self, case: Case, layers: Layers, figures: Mapping[str, float]) -> None:
        """Take in one scored photo: its layers and the figures they got."""
        ...

    def figures(self) -> Figures:
        """What all photos together score; they stand beside (or instead of) the means of equal
        names."""
        ...


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one kind of dataset is scored. ``headline`` is the figure cases are ranked by (lower is
    better).

    ``judges`` are layers it looks at although the dataset has no dense truth of them. ``pool``,
    where there is one, makes the figures that only a whole dataset has. ``baselines`` are the
    answers every table of it shows."""

    name: str
    summary: str
    source: str
    figures: Callable[[Case, Layers], Figures]
    headline: str = "lmse"
    judges: tuple[str, ...] = ()
    pool: Callable[[], Pool] | None = None
    baselines: Baselines = field(default_factory=lambda: BASELINES)

    def known(self, case: Case, layers: Layers) -> dict[str, Image]:
        """The layers [H,W,C] this protocol can say something about. DataError for one of another
        size."""
        names = [*case.truth, *(name for name in self.judges if name not in case.truth)]
        return {name: shaped(name, layers[name], case) for name in names if name in layers}


def shaped(name: str, layer: Image, case: Case) -> Image:
    """[H,W] or [H,W,C] → [H,W,C] of the photo's size, or a DataError."""
    layer = layer[..., None] if layer.ndim == 2 else layer
    if layer.shape[:2] != case.photo.shape[:2]:
        sizes = [f"{shape[1]}×{shape[0]}" for shape in (layer.shape, case.photo.shape)]
        raise DataError(f"the {name} of {case.name} is {sizes[0]} and its photo {sizes[1]}")
    return layer


def batch(image: Image) -> Tensor:
    """[H,W] or [H,W,C] → [1,C,H,W] float64."""
    planes = image[..., None] if image.ndim == 2 else image
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float64))[None]


def gray(x: Tensor) -> Tensor:
    """[B,C,H,W] → the plain mean of the channels, [B,1,H,W]."""
    return x.mean(1, keepdim=True)


def comparable(guess: Tensor, truth: Tensor) -> Tensor:
    """A guess with as many channels as its truth, or one: colours are averaged where the truth is
    gray."""
    return guess if guess.shape[1] in (1, truth.shape[1]) else gray(guess)


def with_mean(figures: Figures, *metrics: str) -> Figures:
    """Put the mean of both factors' figure in front, for each of ``metrics`` that both were
    given."""
    means: Figures = {}
    for metric in metrics:
        halves = [figures[f"{name}_{metric}"] for name in FACTORS if f"{name}_{metric}" in figures]
        means |= {metric: sum(halves) / 2} if len(halves) == 2 else {}
    return {**means, **figures}
