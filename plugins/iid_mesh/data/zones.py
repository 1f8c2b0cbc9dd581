"""The topography of a bird: small zones by which its spots are told apart, as ornithologists name
them. Finer than the four parts of SCOPS, and alike on both sides."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.shapes import mean_bird, parts_of_vertices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iid_mesh.data.ellipsoids import Floats

    Ints = NDArray[np.int64]

#: The channels of zone maps, behind the background. Made-up birds have no feet.
ZONES = (
    *("beak", "face", "crown", "nape", "throat", "breast", "belly", "vent", "mantle", "rump"),
    *("shoulder", "wing", "wing tip", "thigh", "tail", "tail tip", "foot"),
)
#: Those that are held, swung or covered in many ways, and tell little of how a bird stands.
UNSTEADY = frozenset({"rump", "shoulder", "wing", "wing tip", "thigh", "tail tip", "foot"})
_CHEST = 0.26  # forward of which the body is breast below and nape above
#: Where a wing ends being shoulder and begins being tip, and the tail its tip.
_SHOULDER, _WING_TIP, _TAIL_TIP = 0.1, -0.36, -0.85
#: On the head, in radii from its middle: above lies the crown, behind the nape, below the throat.
_HEAD = 0.45


@lru_cache(maxsize=1)
def vertex_zones() -> Ints:
    """The zone of every vertex [642] of made-up birds, an index into :data:`ZONES`."""
    bird, points = mean_bird()
    skull = bird.parts[1]
    on_head = (points - skull.centre) / skull.radii
    names = []
    for name, point, place in zip(parts_of_vertices(), points, on_head, strict=True):
        names.append(_zone(name, point, place))
    return np.array([ZONES.index(name) for name in names])


def _zone(name: str, point: Floats, place: Floats) -> str:
    """The zone of a point of the mean bird on the ellipsoid ``name``, and its ``place`` in radii of
    the head."""
    if name == "beak":
        return "beak"
    if name == "head":
        return _zone_of_head(place)
    if name == "neck":
        return "throat" if place[0] > 0 else "nape"
    if name == "tail":
        return "tail" if point[0] > _TAIL_TIP else "tail tip"
    if name == "wing":
        return _zone_of_wing(point)
    return _zone_of_body(point)


def _zone_of_head(place: Floats) -> str:
    ahead, _, above = place
    if above > _HEAD:
        return "crown" if ahead > -_HEAD else "nape"
    if ahead < -_HEAD:
        return "nape"
    return "face" if above > -_HEAD else "throat"


def _zone_of_wing(point: Floats) -> str:
    ahead = point[0]
    if ahead > _SHOULDER:
        return "shoulder"
    return "wing" if ahead > _WING_TIP else "wing tip"


def _zone_of_body(point: Floats) -> str:
    ahead, aside, above = point
    if ahead > _CHEST:
        return "breast" if above < _CHEST else "nape"
    if above > 0:
        return "mantle" if ahead > -0.2 else "rump"
    if abs(aside) > 0.1 and -0.25 < ahead < 0.05 and above < -0.2:
        return "thigh"
    return "belly" if ahead > -0.2 else "vent"
