"""Descriptions a plugin gives of itself: cheap to make, read before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


def knob(
    default: Any, help: str, choices: tuple[Any, ...] = (), low: float | None = None, high: float | None = None
) -> Any:
    """A dataclass field that explains itself: shown by ``iid methods NAME``, validated by ``-O`` and ``--set``.

    ``low`` and ``high`` are the least and the greatest number allowed."""
    return field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a method that has none."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What every training run can be told (``--set key=value``); methods add fields of their own."""

    steps: int = knob(2000, "optimisation steps of a stage", low=1)
    batch_size: int = knob(8, "photos per step", low=1)
    crop: int = knob(160, "side of the square training crop, pixels", low=1)
    lr: float = knob(1e-3, "peak learning rate", low=0)
    warmup: int = knob(100, "steps of linear warm-up before the cosine decay", low=0)
    clip: float = knob(1.0, "gradient norm above which gradients are scaled down; 0 = never", low=0)
    ema: float = knob(0.999, "decay of the weight average that is validated and shipped; 0 = off", low=0, high=1)
    val_every: int = knob(500, "steps between validations (the last step is always validated)", low=1)
    val_batches: int = knob(16, "validation batches looked at", low=1)
    save_every: int = knob(500, "steps between checkpoints", low=1)
    seed: int = knob(0, "seed of weights, data order and augmentation")


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as the house sees it before importing it.

    ``target`` is ``"package.module:Class"`` of a :class:`~intrinsic_cli.api.method.Method`, imported on first use.
    ``variants`` lists the named networks besides the default one (written ``NAME:VARIANT``); ``variant_layers`` those
    that give other layers than ``layers``; ``default`` is a name the default one may be called by as well. ``stages``
    are trained in order; a stage sees the weights of those before it. ``needs`` are the batch keys a dataset must
    offer to train. ``smoke`` overrides the config so that two training steps fit in two CPU seconds.
    """

    name: str
    summary: str
    target: str
    layers: tuple[str, ...]
    variants: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("main",)
    needs: frozenset[str] = frozenset()
    options: type = NoOptions
    config: type = TrainConfig
    smoke: Mapping[str, Any] = field(default_factory=dict)
    paper: str = ""
    variant_layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: str = ""

    def layers_of(self, variant: str) -> tuple[str, ...]:
        """The layers that ``variant`` ("" = the default one) gives."""
        return self.variant_layers.get(variant, self.layers)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset reader: ``target`` ``"module:function"`` is called with the path (or None) and returns a Source.

    ``page`` says where the data comes from, ``protocols`` how it may be scored (its own first). ``prepare``, where
    there is one, is ``"module:function"`` called with source, output folder and progress; it returns a count.
    ``several``: the path may also be several with commas between, which the reader takes apart and looks for itself.
    """

    name: str
    summary: str
    target: str
    offers: frozenset[str]
    licence: str = ""
    layout: str = ""
    needs_path: bool = True
    page: str = ""
    protocols: tuple[str, ...] = ()
    prepare: str = ""
    several: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What a network likes to eat; the house cuts, resizes and encodes photos accordingly.

    ``size``: short side in pixels the photo is resized to (None = native, never enlarged); ``multiple``: both sides
    become multiples of it; ``encoding``: the transfer curve of the input. ``lift``: how layers smaller than the
    photo get its size: ``"divide"`` lifts shading edge-aware and sets albedo = photo / shading, so that every pixel
    of the photo stays; ``"subtract"`` lifts summands edge-aware and sets transmission = photo − the others;
    ``"resize"`` interpolates every layer.
    """

    size: int | None = None
    multiple: int = 1
    tile: int | None = None
    overlap: int = 0
    encoding: Literal["linear", "srgb"] = "linear"
    lift: Literal["divide", "subtract", "resize"] = "divide"
