"""What a method is: something that decomposes, trains and (if it wants to) scores itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from intrinsic_cli.api.data import Batch, Source, Split
    from intrinsic_cli.api.outputs import Image, Outputs
    from intrinsic_cli.api.regions import Region
    from intrinsic_cli.api.specs import Frame

    #: Weights of several networks: net name → parameter name → tensor.
    NetState = Mapping[str, Mapping[str, Tensor]]
    #: ``(loss, optimizer name)``: zero, scale, backward, clip and step, in the order the plugin
    #: calls it.
    Minimise = Callable[[Tensor, str], None]

O = TypeVar("O")  # noqa: E741  options dataclass of a method
C = TypeVar("C")  # config dataclass of a method


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where and how a network runs. ``parents`` are the weights of earlier stages while a later one
    trains."""

    device: torch.device
    precision: str = "fp32"
    seed: int = 0
    variant: str = ""
    parents: Mapping[str, NetState] = field(default_factory=dict)


class Decomposer(ABC):
    """A loaded network: photos in, outputs out. ``frame`` says what its photos are cut to."""

    frame: Frame

    @abstractmethod
    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        """Photos [B,3,H,W] float32 in ``frame.encoding`` (with ``frame.alpha`` [B,4,H,W], the
        fourth channel 1 where the object is) → outputs; a bare mapping is short for layers
        [B,C,h,w], linear, at any one size."""

    def regions(self, photo: Image) -> Sequence[Region] | None:
        """The parts of ``photo`` [H,W,3] linear that are to be looked at one by one, or None: all
        of it at once. Each comes to :meth:`__call__` as a photo of its own, cut out and turned
        upright, in batches with those of other photos; layers are pasted back with soft borders,
        and ``alpha`` is 0 where no region is. Where none is found ([]) the photo fails with a
        sentence; a method that would rather look at all of it answers ``[Region.whole(H, W)]``."""
        return None

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        """What the record ``name`` says of a region, in the axes of the photo: here directions are
        turned by ``region.angle``. The house adds the region's box."""
        return record


class Trainer(ABC):
    """One stage of training. The plugin owns the step; the house owns time, checkpoints and
    progress.

    ``nets`` end up in the weights file under their names (frozen nets of earlier stages too); the
    ones named in no optimizer stay as they are. ``steps`` bounds the config's (0 = no bound);
    ``notes`` are told once at the start. ``watch`` is the key of :meth:`validate` by which the best
    weights are chosen (lower is better). ``inference`` names the nets that decomposing needs (none
    named: all): the weights a run ends with hold only these. ``last.pt`` and the stage's own
    ``best.safetensors`` hold all, so that a run that begins with the latter (``--init``) has the
    discriminators and other helpers of training too; one that begins with shipped weights has to
    make them anew."""

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
        counting); return the named losses, detached, for display. A TrainingError, here or in
        :meth:`validate`, ends the run; its checkpoint and best weights of before stay."""

    @abstractmethod
    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        """Losses of one held-out batch (averaged by the house over all of them)."""

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        """Pictures [B,C,H,W] linear to look at, in the order of the columns of a contact sheet."""
        return {}

    def setup(self) -> None:  # noqa: B027  optional to override
        """Called once before the first step, never on resume: measure statistics, warm caches."""


class Method(ABC, Generic[O, C]):
    """The class a :class:`~intrinsic_cli.api.specs.MethodSpec` points to."""

    @abstractmethod
    def decomposer(self, state: NetState, options: O, runtime: Runtime) -> Decomposer:
        """Networks built from ``state``, ready to run. Raise WeightsError where the state does not
        fit."""

    @abstractmethod
    def trainer(self, stage: str, config: C, source: Source, runtime: Runtime) -> Trainer:
        """A fresh trainer of ``stage``."""

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        """Recognise an original checkpoint of the paper's own code: (variant, our nets), or None if
        it is not ours."""
        return None
