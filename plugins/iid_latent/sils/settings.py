"""What users may turn in ``sils``, and what its terms weigh."""

from __future__ import annotations

from dataclasses import dataclass

from iid_latent.settings import BackboneConfig, MirrorOptions, settled, weight
from intrinsic_cli.api import knob


@dataclass(frozen=True, slots=True)
class TermWeights:
    """What each term of ``sils.terms`` is multiplied by before they are added up."""

    compose: float
    cycle: float
    shared: float
    auto: float
    independence: float
    adversarial: float


#: Errors of products are measured in logarithms, those of sums in display values of 0 to 1, which
#: are about ten times smaller.
PRODUCT = TermWeights(
    compose=1.0, cycle=0.5, shared=0.05, auto=0.1, independence=0.1, adversarial=0.02
)
SUM = TermWeights(
    compose=10.0, cycle=5.0, shared=0.05, auto=1.0, independence=0.1, adversarial=0.02
)


@dataclass(frozen=True, slots=True)
class SilsOptions(MirrorOptions):
    """``-O key=value`` of ``iid decompose -m sils``."""

    size: int = knob(256, "short side of the photo the network sees, pixels", low=16)


@dataclass(frozen=True, slots=True)
class SilsConfig(BackboneConfig):
    """``--set key=value`` of ``iid train --plugin sils``."""

    beta1: float = knob(
        0.5, "Adam's decay of the mean gradient (the other decay is 0.999)", low=0, high=0.999
    )
    width: int = knob(32, "channels of the latent spaces, a multiple of 8", low=8, multiple=8)
    guard: int = knob(400, "steps after which collapsed layers stop the training; 0 = never", low=0)
    shared: float | None = weight("a layer has the same features alone and in a mixture")
    auto: float | None = weight("a layer drawn from its own features")
    independence: float | None = weight("features of different layers lie apart")

    def term_weights(self, own: TermWeights) -> TermWeights:
        """``own`` with what was set by hand."""
        return settled(own, self)


@dataclass(frozen=True, slots=True)
class ReflectionConfig(SilsConfig):
    """``--set key=value`` of ``iid train --plugin sils:reflection``."""

    layers: int = knob(0, "layers to separate; 0 = two; with 3 flare too", (0, 2, 3))
