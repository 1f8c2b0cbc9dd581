"""What a decomposition is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.float32]

#: Layers whose product (plus ``residual``) rebuilds the photo.
FACTORS = ("albedo", "shading")
#: Layers whose sum is the photo: what is seen through glass, what the glass mirrors, stray light of the lens.
SUMMANDS = ("transmission", "reflection", "flare")


@dataclass(slots=True)
class Mesh:
    """A triangle mesh: ``vertices`` [V,3] float, ``faces`` [F,3] int, optional per-vertex ``colours`` [V,3] in 0..1."""

    vertices: Any
    faces: Any
    colours: Any = None


@dataclass(slots=True)
class Decomposition:
    """One photo taken apart.

    ``photo`` [H,W,3] and every layer [H,W,C] are float32, linear light, at the photo's own size;
    ``alpha`` [H,W] in 0..1 or None. ``facts`` are numbers worth keeping (seconds, clipped fraction).
    """

    photo: Image
    layers: Mapping[str, Image]
    alpha: Image | None = None
    meshes: Mapping[str, Mesh] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
