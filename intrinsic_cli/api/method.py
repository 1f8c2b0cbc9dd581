"""What a method is: something that takes photos apart, and something that learns to.

The least there is, a method that needs no training::

    from intrinsic_cli import api

    class Brightness(api.Decomposer):
        frame = api.Frame()  # photos as they are, in linear light

        def __call__(self, photos):  # [B,3,H,W]
            shading = photos.mean(1, keepdim=True).clamp_min(0.01)
            return {"albedo": photos / shading, "shading": shading}

    class Plain(api.Method):
        def decomposer(self, state, options, runtime):
            return Brightness()

        def trainer(self, stage, config, source, runtime):
            raise NotImplementedError  # never called: its variant has no stages

    VARIANT = api.Variant(layers=("albedo", "shading"), stages=())
    SPEC = api.MethodSpec("plain", "brightness is shading", "plain:Plain", (VARIANT,))

``iid plugin new NAME`` writes a package around one that learns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from intrinsic_cli.api.data import Batch, Source, Split
    from intrinsic_cli.api.outputs import Decomposition, Image, Outputs
    from intrinsic_cli.api.regions import Region
    from intrinsic_cli.api.specs import Frame

#: Weights of several networks: net name → parameter name → tensor.
NetState: TypeAlias = "Mapping[str, Mapping[str, Tensor]]"
#: ``minimise(loss, optimizer name)``, handed to :meth:`Trainer.step`: zeroes the gradients of that
#: optimizer's parameters, scales, goes backward, clips (``config.clip``) and steps, in the order
#: the plugin calls it, for each optimizer at most once a step (PluginError). ``loss`` is a tensor
#: of one number; losses that share a graph, or an optimizer, are to be added up before.
Minimise: TypeAlias = "Callable[[Tensor, str], None]"

O = TypeVar("O")  # noqa: E741  options dataclass of a method
C = TypeVar("C")  # config dataclass of a method


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where and how a network runs.

    Put networks on ``device``; photos and batches come on it already. ``precision`` (``fp32``,
    ``bf16``, ``fp16``) is the house's business: it calls decomposers and steps under autocast.
    ``variant`` is the name of the variant, "" the default one. ``parents`` are, by stage, the
    weights of earlier stages while a later one trains.
    """

    device: torch.device
    precision: str = "fp32"
    seed: int = 0
    variant: str = ""
    parents: Mapping[str, NetState] = field(default_factory=dict)


class Decomposer(ABC):
    """A loaded network: photos in, outputs out. ``frame`` says what its photos are cut to;
    ``mixes_sizes``, whether photos of unlike sizes go through :meth:`look_each` together;
    ``finishes_rows``, whether :meth:`finished` looks at each pixel by itself and minds layers only:
    of large photos without light beyond white it is then shown some rows at a time."""

    frame: Frame
    mixes_sizes: bool = False
    finishes_rows: bool = False

    @abstractmethod
    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        """Photos [B,3,H,W] float32 in ``frame.encoding`` (with ``frame.alpha`` [B,4,H,W], the
        fourth channel 1 where the object is) → outputs; a bare mapping is short for layers
        [B,C,h,w], linear, at any one size."""

    def regions(self, photo: Image) -> Sequence[Region] | None:
        """The parts of ``photo`` [H,W,3] linear (with ``frame.alpha`` [H,W,4], as in
        :meth:`__call__`) that are to be looked at one by one, or None: all of it at once. Each
        comes to :meth:`__call__` as a photo of its own, cut out and turned upright, in batches with
        those of other photos; layers are pasted back with soft borders, and ``alpha`` is 0 where no
        region is. Where none is found ([]) the photo fails with a sentence; a method that would
        rather look at all of it answers ``[Region.whole(H, W)]``, with ``notes`` that say so."""
        return None

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        """What the record ``name`` says of a region, in the axes of the photo: here directions are
        turned by ``region.angle``. The house adds the region's box."""
        return record

    def look(
        self, photos: Tensor, regions: Sequence[Region | None]
    ) -> Outputs | Mapping[str, Tensor]:
        """What the house calls: as :meth:`__call__`, with the region that each photo was cut out
        for (None: it is a photo as it came). For methods to whose answer a region's angle or facts
        matter."""
        return self(photos)

    def look_each(
        self, photos: Sequence[Tensor], regions: Sequence[Region | None]
    ) -> Sequence[Outputs | Mapping[str, Tensor]]:
        """What the house calls where ``mixes_sizes``: as :meth:`look`, an answer for each of
        ``photos`` [1,C,H,W], whose sizes differ. For methods whose network sees small copies, all
        of one size, of photos that they need at full size themselves."""
        pairs = zip(photos, regions, strict=True)
        return [self.look(photo, [region]) for photo, region in pairs]

    def finished(self, result: Decomposition) -> Decomposition:
        """Called once a photo, when all of it is at its full size and in its place: a method may
        add outputs that are made of the whole photo, such as the photo relit."""
        return result


class Trainer(ABC):
    """One stage of training. The plugin owns the step; the house owns time, checkpoints and
    progress.

    Set in ``__init__``:

    - ``nets``: by name, on ``runtime.device``. They end up in the weights file under their names
      (frozen nets of earlier stages too), and come back as ``state`` to :meth:`Method.decomposer`.
    - ``optimizers``: by name, over the parameters that learn; a net in none of them stays as it is.
      The house sets their rates: each its own ``lr``, times warm-up and cosine decay.

    And where it matters:

    - ``watch``: the key of :meth:`validate` by which the best weights are chosen (lower is better).
    - ``steps`` bounds the config's (0 = no bound); ``notes`` are told once at the start.
    - ``inference`` names the nets that decomposing needs (none named: all): the weights a run ends
      with hold only these. ``last.pt`` and the stage's own ``best.safetensors`` hold all, so that a
      run that begins with the latter (``--init``) has the discriminators and other helpers of
      training too; one that begins with shipped weights has to make them anew.
    """

    nets: Mapping[str, nn.Module]
    optimizers: Mapping[str, Optimizer]
    watch: str = "loss"
    steps: int = 0
    notes: tuple[str, ...] = ()
    inference: frozenset[str] = frozenset()

    @abstractmethod
    def batches(self, split: Split, start: int = 0) -> Iterable[Batch]:
        """The stage's data; see :meth:`Source.batches` for what ``start`` promises."""

    @abstractmethod
    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        """Do one optimisation step, the ``number``-th of the stage (from 0, resumed runs go on
        counting), by calling ``minimise(loss, optimizer name)``, for each optimizer at most once;
        ``batch`` is on the device. Return the named losses, tensors of one number, detached, for
        display. A TrainingError, here or in :meth:`validate`, ends the run; its checkpoint and best
        weights of before stay."""

    @abstractmethod
    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """Losses of one held-out batch, ``watch`` among them (averaged by the house over all of
        them). Called without gradients, with nets in evaluation mode and averaged weights."""

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        """Pictures [B,C,H,W] linear to look at, in the order of the columns of a contact sheet."""
        return {}

    def setup(self) -> None:  # noqa: B027  optional to override
        """Called once before the first step, never on resume: measure statistics, warm caches."""


class Method(ABC, Generic[O, C]):
    """The class a :class:`~intrinsic_cli.api.specs.MethodSpec` points to, made without arguments.

    ``Method[Options, Config]``: the dataclasses its variants name as ``options`` and ``config``.
    """

    @abstractmethod
    def decomposer(self, state: NetState, options: O, runtime: Runtime) -> Decomposer:
        """Networks built from ``state`` (net name → parameter name → tensor; {} for a variant
        without stages, and for one that ``works_untrained`` and is), ready to run: on
        ``runtime.device``, in evaluation mode. Raise WeightsError where the state does not fit
        (``kit.networks.checkpoint.load_into`` does)."""

    @abstractmethod
    def trainer(self, stage: str, config: C, source: Source, runtime: Runtime) -> Trainer:
        """A fresh trainer of ``stage``, one of the variant's ``stages``; never called where there
        are none. ``source`` offers at least what the variant ``needs``."""

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        """Recognise an original checkpoint of the paper's own code: (variant, our nets), or None if
        it is not ours."""
        return None
