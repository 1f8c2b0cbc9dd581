"""What a variant separates a photo into."""

from __future__ import annotations

from dataclasses import dataclass

from iid_latent.sils.blends import Blend, Product, Sum
from iid_latent.sils.settings import PRODUCT, SUM, TermWeights
from intrinsic_cli.api import UsageError
from intrinsic_cli.api.outputs import FACTORS, SUMMANDS


@dataclass(frozen=True, slots=True)
class Task:
    """The layers of a photo, how they blend, and what their training weighs."""

    layers: tuple[str, ...]
    blend: Blend
    weights: TermWeights

    @property
    def adds_up(self) -> bool:
        """Whether layers are summed, not multiplied."""
        return isinstance(self.blend, Sum)


#: Variants and how many layers each separates by default.
_COUNTS = {"intrinsic": 2, "reflection": 2, "three": 3}


def task_of(variant: str, layers: int = 0) -> Task:
    """The task of a variant ("" = ``intrinsic``) with ``layers`` layers (0 = the variant's own).
    UsageError where there is no such task."""
    variant = variant or "intrinsic"
    count = layers or _COUNTS[variant]
    if variant == "intrinsic":
        if count != 2:
            raise UsageError(
                f"intrinsic photos have 2 layers, not {count}", "layers=3 goes with sils:reflection"
            )
        return Task(FACTORS, Product(), PRODUCT)
    if count not in (2, 3) or (variant == "three" and count != 3):
        hint = "layers=2 is sils:reflection; layers=3, or sils:three, separates flare too"
        raise UsageError(f"sils:{variant} cannot separate {count} layers", hint)
    return Task(SUMMANDS[:count], Sum(), SUM)
