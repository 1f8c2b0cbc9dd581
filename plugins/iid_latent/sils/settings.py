"""What users may turn in ``sils``: options of decomposing, configuration of training, weights of the terms."""

from __future__ import annotations

from dataclasses import dataclass, fields

from intrinsic_cli.api import TrainConfig, knob

#: Written for a weight that is to be the task's own.
OWN = -1.0


@dataclass(frozen=True, slots=True)
class TermWeights:
    """What each term of ``sils.terms`` is multiplied by before they are added up."""

    compose: float
    cycle: float
    shared: float
    auto: float
    independence: float
    adversarial: float


#: Errors of products are measured in logarithms, those of sums in display values of 0 to 1, which are about ten
#: times smaller.
PRODUCT = TermWeights(compose=1.0, cycle=0.5, shared=0.05, auto=0.1, independence=0.1, adversarial=0.02)
SUM = TermWeights(compose=10.0, cycle=5.0, shared=0.05, auto=1.0, independence=0.1, adversarial=0.02)


@dataclass(frozen=True, slots=True)
class SilsOptions:
    """``-O key=value`` of ``iid decompose -m sils``."""

    size: int = knob(384, "short side of the photo the network sees, pixels", low=16)
    exact: bool = knob(True, "layers that make the photo exactly; false = as they were drawn")
    mirror: bool = knob(True, "average the photo's and its mirror image's answer")


@dataclass(frozen=True, slots=True)
class SilsConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin sils``. Weights of -1 are the task's own."""

    steps: int = knob(4000, "optimisation steps")
    batch_size: int = knob(4, "pictures of each collection per step")
    crop: int = knob(128, "side of the square training crop, pixels; a multiple of 32", low=32)
    lr: float = knob(1e-3, "peak learning rate of everything but the trunk and the discriminators", low=0)
    trunk_lr: float = knob(5e-4, "peak learning rate of the pretrained trunk", low=0)
    dis_lr: float = knob(4e-4, "peak learning rate of the discriminators", low=0)
    beta1: float = knob(0.5, "Adam's decay of the mean gradient (the other decay is 0.999)", low=0, high=0.999)
    weight_decay: float = knob(0.01, "AdamW weight decay", low=0)
    pretrained: str = knob(
        "auto",
        "start the trunk from ImageNet weights; auto = where the extra 'pretrained' is installed",
        ("auto", "yes", "no"),
    )
    layers: int = knob(0, "layers to separate; 0 = the variant's own; 3 makes `reflection` separate flare too", low=0)
    width: int = knob(32, "channels of the latent spaces, a multiple of 8", low=8)
    dis_dim: int = knob(16, "channels of the discriminators' first layer", low=4)
    share: float = knob(0.25, "part of the batch that goes through all terms but compose", low=0, high=1)
    pairings: int = knob(3, "mixtures an exemplar takes part in, each with others (at most batch_size)", low=1)
    guard: int = knob(400, "steps after which collapsed layers stop the training; 0 = never", low=0)
    compose: float = knob(OWN, "weight: exemplars found again in mixtures made of them")
    cycle: float = knob(OWN, "weight: the photo rebuilt from its layers")
    shared: float = knob(OWN, "weight: a layer has the same features alone and in a mixture")
    auto: float = knob(OWN, "weight: a layer drawn from its own features")
    independence: float = knob(OWN, "weight: features of different layers lie apart")
    adversarial: float = knob(OWN, "weight: discriminators")

    def term_weights(self, own: TermWeights) -> TermWeights:
        """``own`` with what was set by hand."""
        given = {item.name: getattr(self, item.name) for item in fields(TermWeights)}
        return TermWeights(**{name: getattr(own, name) if value == OWN else value for name, value in given.items()})
