"""What the template's vertices stand for on a bird: four parts and fifteen keypoints."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.shapes import Build, mean_bird, parts_of_vertices
from iid_mesh.template import icosphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iid_mesh.data.ellipsoids import Floats

    Ints = NDArray[np.int64]

#: The channels of part maps, behind the background.
PARTS = ("head", "neck", "back", "belly")
#: In the order of CUB-200-2011.
KEYPOINTS = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing"),
    *("nape", "right eye", "right leg", "right wing", "tail", "throat"),
)
#: Which keypoint takes each one's place in a mirror.
MIRRORED = (0, 1, 2, 3, 4, 5, 10, 11, 12, 9, 6, 7, 8, 13, 14)

_CHEST = 0.26  # forward of which the body counts as neck
_OWN_PART = {"head": "head", "beak": "head", "neck": "neck", "wing": "back", "tail": "back"}
#: On the head: in radii from its middle.
_HEAD = {
    "crown": (0.1, 0.0, 1.0),
    "forehead": (0.8, 0.0, 0.6),
    "nape": (-0.9, 0.0, 0.5),
    "throat": (0.5, 0.0, -0.9),
    "left eye": (0.45, 0.8, 0.2),
}
#: On the body: from its middle, in units of the mean bird.
_BODY = {
    "back": (-0.1, 0.0, 0.36),
    "belly": (-0.02, 0.0, -0.36),
    "breast": (0.5, 0.0, 0.0),
    "left leg": (-0.1, 0.2, -0.34),
    "left wing": (-0.15, 0.42, 0.06),
}


@lru_cache(maxsize=1)
def vertex_parts() -> Ints:
    """The part of every vertex [642], an index into :data:`PARTS`. Where the head rises from the
    body, the ring around it is the neck."""
    _, points = mean_bird()
    numbers = []
    for name, point in zip(parts_of_vertices(), points, strict=True):
        numbers.append(PARTS.index(_OWN_PART.get(name) or _part_of_body(*point.tolist())))
    parts = np.array(numbers)
    raised = np.isin(parts_of_vertices(), ("head", "beak", "neck"))
    edges = icosphere().edges.numpy()
    ends = np.concatenate([edges, edges[:, ::-1]])
    beside = ends[raised[ends[:, 0]], 1]
    ring = beside[~raised[beside]]
    parts[ring] = PARTS.index("neck")
    return parts


@lru_cache(maxsize=1)
def keypoint_vertices() -> Ints:
    """The vertex of every keypoint [15]."""
    _, points = mean_bird()
    places = _places()
    wanted = np.stack([places[name] for name in KEYPOINTS])
    distance = np.linalg.norm(wanted[:, None] - points, axis=2)
    return np.asarray(distance.argmin(axis=1))


def _places() -> dict[str, Floats]:
    """Where the keypoints of the mean bird should be [3]."""
    bird, _ = mean_bird()
    middle = np.asarray(bird.parts[1].centre)
    places = {"beak": np.asarray(bird.beak), "tail": np.asarray(bird.tail)}
    for name, steps in _HEAD.items():
        places[name] = middle + np.asarray(steps) * Build().head
    for name, place in _BODY.items():
        places[name] = np.asarray(place)
    for name in KEYPOINTS:
        if name.startswith("right"):
            left = places[name.replace("right", "left")]
            places[name] = left * (1, -1, 1)
    return places


def _part_of_body(x: float, y: float, z: float) -> str:
    """The part a point of the body itself belongs to."""
    if x > _CHEST:
        return "neck"
    return "back" if z > 0 else "belly"
