"""Plumage: colours of made-up birds, region by region, and the marks on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.landmarks import KEYPOINTS, PARTS, keypoint_vertices, vertex_parts
from iid_mesh.data.shapes import parts_of_vertices
from iid_mesh.template import icosphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Regions with a colour of their own.
_REGIONS = ("head", "beak", "neck", "back", "belly", "wing", "tail")
_BEAKS = ((0.03, 0.03, 0.03), (0.25, 0.2, 0.14), (0.75, 0.4, 0.05), (0.7, 0.12, 0.04))
_EYE = 0.085  # its radius, as an angle on the template
_WAVES = 3  # of which markings are made


@dataclass(frozen=True, slots=True)
class Plumage:
    """``colours`` [642,3] of the vertices, linear reflectance; the marks are waves over the
    template's directions: ``strength`` of bars on the wings and of streaks on the breast."""

    colours: Floats
    bars: float
    streaks: float
    waves: Floats
    mottle: float
    eye: Floats


def random_plumage(rng: np.random.Generator) -> Plumage:
    """Two or three colours, and what is made of them."""
    by_region = _random_colours(rng)
    table = np.stack([by_region[region] for region in _REGIONS])
    colours = np.clip(table, 0.01, 0.9)[_regions()]
    waves = rng.normal(0, 1, (_WAVES, 4)) * (9, 9, 9, 3)
    bars = float(rng.random() < 0.6) * rng.uniform(0.2, 0.8)
    streaks = float(rng.random() < 0.4) * rng.uniform(0.2, 0.8)
    return Plumage(
        colours=colours.astype(np.float32),
        bars=bars,
        streaks=streaks,
        waves=waves.astype(np.float32),
        mottle=float(rng.uniform(0.02, 0.2)),
        eye=np.full(3, rng.choice([0.01, 0.02, 0.3]), np.float32),
    )


def _random_colours(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """The colour [3] of every region."""
    colours = [_colour(rng) for _ in range(rng.integers(2, 4))]
    by_region = {}
    for region in _REGIONS:
        picked = colours[rng.integers(len(colours))]
        lighter = rng.normal(0, 0.2)
        by_region[region] = picked * np.exp(lighter + rng.normal(0, 0.05, 3))
    if rng.random() < 0.5:
        by_region["belly"] = by_region["belly"] ** 0.5
    by_region["beak"] = np.asarray(_BEAKS[rng.integers(len(_BEAKS))])
    return by_region


def paint(plumage: Plumage, colours: Floats, directions: Floats) -> Floats:
    """The reflectance [P,3] of points: ``colours`` interpolated between vertices, and the marks of
    the places on the template that ``directions`` [P,3] name."""
    wave = _waves(plumage, directions)
    x, y, z = directions.T
    flank = _share(3 * np.abs(y) - 0.9)
    flank *= _share(2 - 4 * np.abs(z))
    breast = _share(3 * x)
    breast *= _share(0.5 - 3 * z)
    bars = np.sin(24 * x + 6 * z) > 0.2
    streaks = wave[:, 0] > 0.3
    darker = plumage.mottle * wave.mean(axis=1)
    darker += plumage.bars * flank * bars
    darker += plumage.streaks * breast * streaks
    painted = colours * (1 - darker)[:, None]
    painted = np.clip(painted, 0.005, 0.95)
    painted[_in_eye(directions)] = plumage.eye
    return np.asarray(painted)


def _share(values: Floats) -> Floats:
    return np.clip(values, 0, 1)


def _in_eye(directions: Floats) -> NDArray[np.bool_]:
    """Which points [P] of the template lie in an eye."""
    near = directions @ _eyes().T
    eyes = near > np.cos(_EYE)
    return np.asarray(eyes.any(axis=1))


def _waves(plumage: Plumage, directions: Floats) -> Floats:
    """Waves over the template [P,3], each -1..1."""
    slopes = plumage.waves[:, :3]
    phases = directions @ slopes.T + plumage.waves[:, 3]
    return np.asarray(np.sin(phases))


def _colour(rng: np.random.Generator) -> NDArray[np.float64]:
    """A feather's colour: mostly browns and grays, now and then a bright one."""
    level = np.exp(rng.uniform(np.log(0.04), np.log(0.7)))
    if rng.random() < 0.6:
        warm = rng.uniform(0, 0.5)
        tint = np.array([1 + warm, 1.0, 1 - warm])
    else:
        tint = 0.1 + rng.dirichlet((0.8, 0.8, 0.8)) * 2.5
    colour = np.clip(level * tint, 0.01, 0.9)
    return np.asarray(colour)


@lru_cache(maxsize=1)
def _regions() -> NDArray[np.int64]:
    """The region of every vertex [642]."""
    names = []
    for ellipsoid, part in zip(parts_of_vertices(), vertex_parts(), strict=True):
        name = ellipsoid if ellipsoid in _REGIONS else PARTS[part]
        names.append(_REGIONS.index(name))
    return np.array(names)


def _eyes() -> Floats:
    """The template's directions of both eyes [2,3]."""
    wanted = [KEYPOINTS.index("left eye"), KEYPOINTS.index("right eye")]
    return icosphere().vertices.numpy()[keypoint_vertices()[wanted]]
