"""Tilted ellipsoids, and how far their union reaches in any direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """``radii`` along its own x, y and z, then turned by ``tilt`` degrees (x towards z) and
    ``splay`` degrees (x towards y) about its ``centre``. ``name`` is the part of the body."""

    name: str
    centre: Point
    radii: Point
    tilt: float = 0.0
    splay: float = 0.0

    def axes(self) -> Floats:
        """Its own x, y, z as rows [3,3]."""
        tilt = np.radians(self.tilt)
        splay = np.radians(self.splay)
        ahead = np.array([np.cos(splay), np.sin(splay), 0.0])
        along = np.cos(tilt) * ahead
        along[2] = np.sin(tilt)
        across = np.array([-np.sin(splay), np.cos(splay), 0.0])
        up = np.cross(along, across)
        return np.stack([along, across, up])

    def reach(self, directions: Floats) -> Floats:
        """How far from the origin rays [N,3] leave it: [N], 0 where they miss it."""
        shrink = self.axes() / np.asarray(self.radii)[:, None]
        rays = directions @ shrink.T
        centre = shrink @ np.asarray(self.centre)
        steep = (rays * rays).sum(axis=1)
        towards = rays @ centre
        inside = towards**2 - steep * (centre @ centre - 1)
        far = (towards + np.sqrt(np.maximum(inside, 0))) / steep
        hit = (inside >= 0) & (far > 0)
        return np.where(hit, far, 0.0)


def reaches(ellipsoids: Sequence[Ellipsoid], directions: Floats) -> Floats:
    """How far each ellipsoid reaches in each direction: [K,N]."""
    return np.stack([ellipsoid.reach(directions) for ellipsoid in ellipsoids])
