"""What users may turn in ``usi3d``: options of decomposing, configuration of training, the papers' loss weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from intrinsic_cli.api import TrainConfig, knob

#: Written for a weight that is to be the named configuration's own.
OWN = -1.0


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each group of terms of ``usi3d.terms`` is multiplied by before it is added up.

    ``compose`` is ours: layers of pictures made by multiplying unrelated exemplars must be those exemplars.
    """

    adversarial: float
    image: float
    cycle: float
    physical: float
    prior: float
    content: float
    divergence: float = 0.0
    smoothness: float = 0.0
    compose: float = 0.0


#: The configurations of the published code by their names there (``MIT`` has no physical term and, like ``MPI`` and
#: ``ShapeNet``, no divergence), the paper's own weights, and ours.
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


@dataclass(frozen=True, slots=True)
class Usi3dOptions:
    """``-O key=value`` of ``iid decompose -m usi3d``."""

    exact: bool = knob(True, "share what albedo · shading misses of the photo between both; false = as they were drawn")
    size: int = knob(0, "short side of the photo the network sees, pixels; 0 = the variant's own (default 384)", low=0)
    mirror: bool = knob(True, "average the photo's and its mirror image's answer (default variant)")


@dataclass(frozen=True, slots=True)
class Usi3dConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin usi3d``. Weights of -1 are those of the named configuration."""

    steps: int = knob(4000, "optimisation steps")
    batch_size: int = knob(4, "pictures of each collection per step")
    pairings: int = knob(3, "blends an albedo takes part in, each with another shading (at most batch_size)", low=1)
    crop: int = knob(128, "side of the square training crop, pixels; a multiple of 32", low=64)
    lr: float = knob(1e-3, "peak learning rate of everything but the trunk (published variants: a tenth of it)")
    trunk_lr: float = knob(5e-4, "peak learning rate of the pretrained trunk")
    dis_lr: float = knob(4e-4, "peak learning rate of the discriminators (published variants: a tenth of lr)")
    weight_decay: float = knob(0.01, "AdamW weight decay (published variants: 1e-4, Adam)")
    pretrained: str = knob(
        "auto",
        "start the trunk from ImageNet weights; auto = where the extra 'pretrained' is installed",
        ("auto", "yes", "no"),
    )
    weights: str = knob("auto", "named loss weights; auto = the variant's own", ("auto", *CONFIGURATIONS))
    width: int = knob(48, "channels of content (default variant), a multiple of 8", low=8)
    blocks: int = knob(2, "residual blocks of a decoder (default variant)", low=1)
    dim: int = knob(64, "channels of the first layer (published variants)", low=4)
    dis_dim: int = knob(16, "channels of the discriminators' first layer (default variant)", low=4)
    share: float = knob(
        0.5, "part of the batch that goes through the paper's own terms (default variant)", low=0, high=1
    )
    bias_shift: float = knob(OWN, "mean of random albedo priors, negative for shading; -1 = own (1, published 10)")
    compose: float = knob(OWN, "weight: exemplars found again in pictures made of them")
    adversarial: float = knob(OWN, "weight: discriminators")
    image: float = knob(OWN, "weight: pictures rebuilt within their domain")
    cycle: float = knob(OWN, "weight: pictures rebuilt through another domain")
    physical: float = knob(OWN, "weight: albedo · shading is the photo")
    prior: float = knob(OWN, "weight: priors found again")
    content: float = knob(OWN, "weight: contents found again")
    divergence: float = knob(OWN, "weight: separated priors distributed like those of exemplars (KL)")
    smoothness: float = knob(OWN, "weight: albedo smooth where chromaticity is (no published configuration has it)")

    def loss_weights(self, variant: str) -> LossWeights:
        """The named configuration with what was set by hand."""
        named = CONFIGURATIONS[(variant or "default") if self.weights == "auto" else self.weights]
        given = {item.name: getattr(self, item.name) for item in fields(LossWeights)}
        return LossWeights(**{name: getattr(named, name) if value == OWN else value for name, value in given.items()})
