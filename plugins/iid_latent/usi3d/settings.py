"""What users may turn in ``usi3d``, and the papers' loss weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from iid_latent.settings import (
    BackboneConfig,
    LatentConfig,
    LatentOptions,
    MirrorOptions,
    settled,
    weight,
)
from intrinsic_cli.api import knob


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each group of terms of ``usi3d.terms`` is multiplied by before it is added up.

    ``compose`` is ours: layers of mixtures made by multiplying unrelated exemplars must be those
    exemplars."""

    adversarial: float
    image: float
    cycle: float
    physical: float
    prior: float
    content: float
    divergence: float = 0.0
    smoothness: float = 0.0
    compose: float = 0.0


#: The configurations of the published code by their names there (``MIT`` has no physical term and,
#: like ``MPI`` and ``ShapeNet``, no divergence), the paper's own weights, and ours.
CONFIGURATIONS: Mapping[str, LossWeights] = MappingProxyType(
    {
        "default": LossWeights(0.02, 0.5, 0.5, 0.5, 0.02, 0.02, 0.02, compose=1.0),
        "paper": LossWeights(1, 10, 10, 5, 0.1, 10, 0.1),
        "MPI": LossWeights(1, 10, 10, 5, 0.01, 0.01),
        "MIT": LossWeights(1, 10, 10, 0, 0.01, 0.01),
        "MIX_IIW": LossWeights(0.1, 10, 10, 1, 0.1, 0.1, 0.1),
        "ShapeNet": LossWeights(1, 10, 10, 1, 0.01, 0.01),
    }
)
#: Variants: the published networks, under the names of their configurations.
VARIANTS = ("MPI", "MIT", "MIX_IIW", "ShapeNet")
_SHIFT = "mean of random albedo priors, and of shading priors its negative"


@dataclass(frozen=True, slots=True)
class Usi3dOptions(MirrorOptions):
    """``-O key=value`` of ``iid decompose -m usi3d``."""

    size: int = knob(0, "short side of the photo the network sees, pixels; 0 = 256", low=0)


@dataclass(frozen=True, slots=True)
class OriginalOptions(LatentOptions):
    """``-O key=value`` of ``iid decompose -m usi3d:MPI`` and the other published networks."""

    size: int = knob(
        0, "short side of the photo the network sees, pixels; 0 = 300, for MIT 220", low=0
    )


@dataclass(frozen=True)  # without slots, so that it stands beside another base
class Weighted:
    """The terms' weights, named or set by hand one by one."""

    weights: str = knob(
        "auto", "named loss weights; auto = the variant's own", ("auto", *CONFIGURATIONS)
    )
    image: float | None = weight("photos and layers rebuilt within their domain")
    physical: float | None = weight("albedo · shading is the photo")
    prior: float | None = weight("priors found again")
    content: float | None = weight("contents found again")
    divergence: float | None = weight("separated priors distributed like those of exemplars (KL)")
    smoothness: float | None = weight(
        "albedo smooth where chromaticity is (no published configuration has it)"
    )


@dataclass(frozen=True, slots=True)
class Usi3dConfig(Weighted, BackboneConfig):
    """``--set key=value`` of ``iid train --plugin usi3d``."""

    crop: int = knob(
        128, "side of the square training crop, pixels; a multiple of 32", low=64, multiple=32
    )
    width: int = knob(48, "channels of content, a multiple of 8", low=8, multiple=8)
    blocks: int = knob(2, "residual blocks of a decoder", low=1)
    bias_shift: float = knob(1.0, _SHIFT)

    def loss_weights(self) -> LossWeights:
        """The named configuration with what was set by hand."""
        named = "default" if self.weights == "auto" else self.weights
        return settled(CONFIGURATIONS[named], self)


@dataclass(frozen=True, slots=True)
class OriginalConfig(Weighted, LatentConfig):
    """``--set key=value`` of ``iid train --plugin usi3d:MPI`` and the other published networks,
    which have one optimiser a side: Adam at ``lr``, weight decay 1e-4."""

    crop: int = knob(
        128, "side of the square training crop, pixels; a multiple of 32", low=64, multiple=32
    )
    lr: float = knob(1e-4, "peak learning rate", low=0)
    dim: int = knob(64, "channels of the first layer", low=4)
    bias_shift: float = knob(10.0, _SHIFT)

    def loss_weights(self, variant: str) -> LossWeights:
        """The named configuration with what was set by hand."""
        named = variant if self.weights == "auto" else self.weights
        return settled(CONFIGURATIONS[named], self)
