"""What a variant separates a photo into."""

from __future__ import annotations

from dataclasses import dataclass

from iid_latent.sils.composition import Composition, Product, Sum
from iid_latent.sils.settings import PRODUCT, SUM, TermWeights
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS


@dataclass(frozen=True, slots=True)
class LayerModel:
    """The layers of a photo, how they make it, and what the terms of their training weigh."""

    layers: tuple[str, ...]
    composition: Composition
    weights: TermWeights

    @property
    def adds_up(self) -> bool:
        """Whether layers are summed, not multiplied."""
        return isinstance(self.composition, Sum)


def layer_model_of(variant: str, with_flare: bool = False) -> LayerModel:
    """The model of a variant: "" is ``intrinsic``; ``three`` is ``reflection`` with flare."""
    if variant in ("", "intrinsic"):
        return LayerModel(FACTORS, Product(), PRODUCT)
    count = 3 if with_flare or variant == "three" else 2
    return LayerModel(SUMMANDS[:count], Sum(), SUM)
