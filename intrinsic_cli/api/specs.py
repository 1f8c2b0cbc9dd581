"""Descriptions a plugin gives of itself: cheap to make, read before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from intrinsic_cli.api.outputs import Kind, kind_of

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row


def knob(
    default: Any,
    help: str,
    choices: tuple[Any, ...] = (),
    low: float | None = None,
    high: float | None = None,
    multiple: int | None = None,
) -> Any:
    """A dataclass field that explains itself: shown by ``iid methods NAME``, validated by ``-O``
    and ``--set``.

    ``low`` and ``high`` are the least and the greatest number allowed; with ``multiple`` it has to
    be a whole multiple of that."""
    told = {"help": help, "choices": choices, "low": low, "high": high, "multiple": multiple}
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a method that has none."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What every training run can be told (``--set key=value``); methods add fields of their
    own."""

    steps: int = knob(2000, "optimisation steps of a stage", low=1)
    batch_size: int = knob(8, "photos per step", low=1)
    crop: int = knob(160, "side of the square training crop, pixels", low=1)
    lr: float = knob(1e-3, "peak learning rate", low=0)
    warmup: int = knob(100, "steps of linear warm-up before the cosine decay", low=0)
    clip: float = knob(1.0, "gradient norm above which gradients are scaled down; 0 = never", low=0)
    ema: float = knob(
        0.999, "decay of the weight average that is validated and shipped; 0 = off", low=0, high=1
    )
    val_every: int = knob(
        500, "steps between validations (the last step is always validated)", low=1
    )
    val_batches: int = knob(16, "validation batches looked at", low=1)
    save_every: int = knob(500, "steps between checkpoints", low=1)
    save_minutes: float = knob(
        5.0, "minutes after which a checkpoint is due whatever the step; 0 = by steps alone", low=0
    )
    seed: int = knob(0, "seed of weights, data order and augmentation", low=0, high=2**63 - 1)
    workers: int = knob(
        -1, "processes that make batches; 0 = a thread, -1 = as many as a GPU needs", low=-1
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of a method, with what goes with it.

    ``name`` is written after the method's (``NAME:VARIANT``); "" is the default one, which may have
    an ``alias`` too. ``layers`` are the outputs it promises, of whatever kind (see
    :mod:`~intrinsic_cli.api.outputs`); ``kinds`` gives the kind of names that are its own.
    ``needs`` are the batch keys a dataset must offer to train. ``options`` and ``config`` are
    frozen dataclasses of :func:`knob`: what decomposing and what training can be told. ``stages``
    are trained in order, each seeing the weights of those before it; () = nothing to train.
    ``smoke`` overrides the config so that two training steps fit in two CPU seconds. ``asked_by``
    names outputs beyond the promised, each with the options that ask for it by not having their
    default. ``works_untrained``: where no weights are found, decomposing goes on without them
    (:meth:`~intrinsic_cli.api.method.Method.decomposer` gets {}), instead of being refused.
    ``measured_with`` are values of its options that ``iid evaluate`` takes where the user gives
    none: what is scored is then the network, without what makes a single photo look better.
    ``adds`` names the networks it has beside those of the default variant, where it has all of
    these: weights of the default variant that hold the added ones too are its own as well.
    ``data`` is the dataset it is trained on where none is named.
    """

    name: str = ""
    layers: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    options: type = NoOptions
    config: type = TrainConfig
    stages: tuple[str, ...] = ("main",)
    smoke: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    alias: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    asked_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    works_untrained: bool = False
    measured_with: Mapping[str, Any] = field(default_factory=dict)
    adds: tuple[str, ...] = ()
    data: str = "synth"

    def outputs(self, options: Any) -> tuple[str, ...]:
        """What is made under these ``options``: the promised outputs, and those that are asked
        for."""
        given, plain = asdict(options), asdict(self.options())
        asked = []
        for name, keys in self.asked_by.items():
            if any(given[key] != plain[key] for key in keys):
                asked.append(name)
        return (*self.layers, *asked)

    def kind(self, output: str) -> Kind:
        """The kind of one of its outputs. PluginError where nobody has said it."""
        return kind_of(output, self.kinds)


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as the house sees it before importing it.

    ``target`` is ``"package.module:Class"`` of a :class:`~intrinsic_cli.api.method.Method`,
    imported on first use. The first of its ``variants`` is the default one.
    """

    name: str
    summary: str
    target: str
    variants: tuple[Variant, ...]
    paper: str = ""

    @property
    def default(self) -> Variant:
        """The variant that is meant where none is named."""
        return self.variants[0]

    def variant(self, name: str) -> Variant:
        """The variant called ``name`` (an alias counts too), "" the default one. KeyError if there
        is none."""
        if not name:
            return self.default
        for variant in self.variants:
            if name in (variant.name, variant.alias):
                return variant
        raise KeyError(name)

    @property
    def variant_names(self) -> tuple[str, ...]:
        """What may be written behind the colon."""
        return tuple(name for v in self.variants for name in (v.name, v.alias) if name)

    def title(self, variant: Variant) -> str:
        """``NAME`` or ``NAME:VARIANT``, as it is written on the command line."""
        return f"{self.name}:{variant.name}" if variant.name else self.name


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """A protocol as the house sees it before importing it: ``target`` ``"module:NAME"`` is a
    :class:`~intrinsic_cli.api.protocols.Protocol` called ``name``."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A dataset reader: ``target`` ``"module:function"`` is called with the path (or None) and
    returns a Source.

    ``page`` says where the data comes from, ``protocols`` how it may be scored (its own first).
    ``prepare``, where there is one, is ``"module:function"`` called with source, output folder and
    progress; it returns a count. ``several``: the path may also be several with commas between,
    which the reader takes apart and looks for itself. ``rows`` are the kinds of the offered keys
    that :data:`~intrinsic_cli.api.data.ROWS` does not know. ``trains`` is False for data that may
    only be measured on. ``least`` says how much of it is needed, where that is not obvious."""

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
    rows: Mapping[str, Row] = field(default_factory=dict)
    trains: bool = True
    least: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a network likes to eat; the house cuts, resizes and encodes photos accordingly.

    ``size``: short side in pixels the photo is resized to (None = native, never enlarged);
    ``multiple``: both sides become multiples of it; ``encoding``: the transfer curve of the input;
    ``alpha``: photos come with a fourth channel, 1 where the object is. ``upsample``: how layers
    smaller than the photo get its size: ``"divide"`` upsamples shading edge-aware and sets albedo
    = photo / shading, so that every pixel of the photo stays; ``"subtract"`` upsamples summands
    edge-aware and sets transmission = photo − the others; ``"resize"`` interpolates every layer.
    """

    size: int | None = None
    multiple: int = 1
    encoding: Literal["linear", "srgb"] = "linear"
    alpha: bool = False
    upsample: Literal["divide", "subtract", "resize"] = "divide"
