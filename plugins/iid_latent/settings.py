"""What both methods of the family let users turn: options of decomposing, configuration of
training."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from intrinsic_cli.api import TrainConfig, knob

W = TypeVar("W")


def weight(what: str) -> Any:
    """A knob for the weight of a term, which is the variant's own unless it is given."""
    return knob(None, f"weight: {what}; none = the variant's own", low=0)


@dataclass(frozen=True, slots=True)
class LatentOptions:
    """``-O key=value`` of ``iid decompose``."""

    exact: bool = knob(
        True,
        "layers that make the photo exactly: what they miss is shared; false = as they were drawn",
    )


@dataclass(frozen=True, slots=True)
class MirrorOptions(LatentOptions):
    """Of the networks trained here."""

    mirror: bool = knob(True, "average the photo's and its mirror image's answer")


@dataclass(frozen=True, slots=True)
class LatentConfig(TrainConfig):
    """``--set key=value`` of ``iid train``."""

    steps: int = knob(4000, "optimisation steps", low=1)
    batch_size: int = knob(4, "photos, and exemplars of each layer, per step", low=1)
    pairings: int = knob(
        3, "mixtures an exemplar takes part in, each with others (at most batch_size)", low=1
    )
    crop: int = knob(
        128, "side of the square training crop, pixels; a multiple of 32", low=32, multiple=32
    )
    compose: float | None = weight("exemplars found again in mixtures made of them")
    cycle: float | None = weight("photos and layers rebuilt through one another")
    adversarial: float | None = weight("discriminators")


@dataclass(frozen=True, slots=True)
class BackboneConfig(LatentConfig):
    """Of the networks that stand on a pretrained backbone."""

    lr: float = knob(
        1e-3, "peak learning rate of everything but backbone and discriminators", low=0
    )
    backbone_lr: float = knob(5e-4, "peak learning rate of the pretrained backbone", low=0)
    dis_lr: float = knob(4e-4, "peak learning rate of the discriminators", low=0)
    weight_decay: float = knob(0.01, "AdamW weight decay", low=0)
    pretrained: str = knob(
        "auto",
        "start the backbone from ImageNet weights; auto = where the extra 'pretrained' is "
        "installed",
        ("auto", "yes", "no"),
    )
    dis_dim: int = knob(16, "channels of the discriminators' first layer", low=4)
    share: float = knob(
        0.25, "part of the batch that goes through all terms but compose", low=0, high=1
    )


def settled(named: W, config: LatentConfig) -> W:
    """The weights ``named`` (a dataclass) with those that ``config`` sets by hand."""
    given: dict[str, Any] = {}
    for item in fields(named):  # type: ignore[arg-type]  # a dataclass
        value = getattr(config, item.name)
        if value is not None:
            given[item.name] = value
    return replace(named, **given)  # type: ignore[type-var]  # as above
