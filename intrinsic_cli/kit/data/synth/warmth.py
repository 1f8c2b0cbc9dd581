"""How warm the lights of one photo are: lamps glow, the sky is blue, the sun lies between.

Their order tells which of two colours is light: a shadow in the sun is bluer than what lies beside
it, for only the sky sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.kit.data.synth.camera import BLACK_BODY

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPREAD = 0.35  # of a light's warmth, along the line from lamps to blue sky
_COLOURFUL = 0.65  # of the samples have lights of plainly unlike colours
#: What the renderer calls its lights, from cold to warm.
_ORDER = {"env": 0.0, "quad": 1.0, "sun": 2.0, "lamp": 3.0}
_EITHER = 0.8  # spread of a place in this order: some windows are warmer than the lamp
_SUNNY = 4.0  # places: of most lights that throw hard shadows
_MOST = 0.7


def warmed(
    weights: NDArray[np.float32],
    kinds: Sequence[str],
    shaded: int | None,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Weights [K,3] of lights of ``kinds``, most of the time each moved along the line from candle
    to sky; ``shaded`` is the light that throws hard shadows."""
    if rng.random() > _COLOURFUL:
        return weights
    places = np.array([_ORDER.get(kind, 1.0) for kind in kinds])
    places += rng.normal(0, _EITHER, len(kinds))
    if shaded is not None and rng.random() < _MOST:
        places[shaded] += _SUNNY
    warmth = np.empty((len(kinds), 1))
    drawn = rng.normal(0, _SPREAD, len(kinds))
    warmth[places.argsort(), 0] = np.sort(drawn)
    colours = np.exp(warmth * BLACK_BODY)
    return np.asarray(weights * colours, np.float32)
