"""One picture of a made-up bird, with everything known about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from iid_mesh.data.backgrounds import random_background
from iid_mesh.data.landmarks import PARTS, keypoint_vertices, vertex_parts
from iid_mesh.data.plumage import paint, random_plumage
from iid_mesh.data.shapes import bird_of, random_build, vertices_of
from iid_mesh.data.zbuffer import Fragments, rasterize
from iid_mesh.data.zones import ZONES, vertex_zones
from iid_mesh.render.camera import about_axis, multiply, project
from iid_mesh.template import icosphere
from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.kit.data.rows import Sample

    Floats = NDArray[np.float32]

#: Pictures are drawn with this many pixels more a side and made smaller, for soft borders.
FINER = 64
#: The crop is the box around the bird and this share of it on each side.
PADDING = 0.05
#: By how much each side of the crop is off at most, as a share of the box.
JITTER = 0.05
_ELEVATION, _ROLL = 14.0, 7.0  # spread, degrees
_HIDDEN = 0.03  # how far behind what is seen a keypoint still counts as seen


def portrait(side: int, rng: np.random.Generator, jitter: bool = True) -> Sample:
    """A bird seen from anywhere around it: ``photo``, ``albedo``, ``shading`` [side,side,3] linear,
    ``mask``, ``silhouette`` (the same, soft) [side,side,1], ``parts`` [side,side,5], ``zones``
    [side,side,18]; ``cameras`` [7] of the crop, ``vertices`` [642,3], ``keypoints`` [15,3]."""
    bird = bird_of(random_build(rng))
    vertices = vertices_of(bird).astype(np.float32)
    camera = _random_camera(vertices, rng, jitter)
    seen = _seen(vertices, camera)
    faces = icosphere().outward.numpy()
    fragments = rasterize(seen, faces, side + FINER)
    layers = _drawn(fragments, seen, side, rng)
    mask = _covered(layers)
    around = 1 - mask
    albedo = layers["albedo"] + around * random_background(side, rng)
    shading = layers["shading"] + around * _random_level(rng)
    return {
        "photo": photographed(albedo * shading, mask, rng),
        "albedo": albedo,
        "shading": shading,
        "mask": mask,
        "silhouette": mask,
        "parts": np.concatenate([around, layers["parts"]], axis=2),
        "zones": np.concatenate([around, layers["zones"]], axis=2),
        "cameras": camera,
        "vertices": vertices,
        "keypoints": keypoints_seen(seen, fragments),
    }


def _covered(layers: dict[str, Image]) -> Image:
    """The silhouette [side,side,1], 0..1."""
    shares = layers["parts"].sum(axis=2, keepdims=True)
    return np.asarray(np.clip(shares, 0, 1))


def _seen(vertices: Floats, camera: Floats) -> Floats:
    """Vertices [642,3] as a camera [7] projects them."""
    cameras = torch.from_numpy(camera)[None]
    (points,) = project(torch.from_numpy(vertices), cameras)
    return np.asarray(points.numpy())


def keypoints_seen(seen: Floats, fragments: Fragments) -> Floats:
    """Projected vertices [642,3] → the keypoints [15,3]: x, y, and 1 where nothing hides them."""
    points = seen[keypoint_vertices()].copy()
    side = fragments.side
    depth = np.full(side * side, -np.inf, np.float32)
    depth[fragments.places] = fragments.depth
    # A vertex on the outline lies beside its own pixels: the farthest around it counts.
    around = cv2.dilate(depth.reshape(side, side), np.ones((3, 3), np.uint8))
    pixels = (points[:, :2] + 1) * side / 2
    column, row = np.clip(pixels.astype(int), 1, side - 2).T
    farthest = around[row, column]
    points[:, 2] = points[:, 2] <= farthest + _HIDDEN
    return points


@dataclass(frozen=True, slots=True)
class _Light:
    """A lamp from ``towards`` [3] of ``colour`` [3], and light from everywhere, more from above."""

    towards: Floats
    colour: Floats
    ambient: Floats

    def on(self, normals: Floats) -> Floats:
        """What falls on surfaces with these normals [P,3]: [P,3]."""
        cosine = normals @ self.towards
        lamp = np.maximum(cosine, 0)[:, None]
        sky = (0.7 - 0.3 * normals[:, 1])[:, None]
        light = lamp * self.colour + sky * self.ambient
        return np.asarray(light)


def _random_light(rng: np.random.Generator) -> _Light:
    """From anywhere but behind, mostly from above; y is down and z away from the viewer."""
    azimuth = np.radians(rng.uniform(-110, 110))
    elevation = np.radians(rng.uniform(-10, 80))
    level = np.cos(elevation)
    towards = np.array([np.sin(azimuth), 0, -np.cos(azimuth)]) * level
    towards[1] = -np.sin(elevation)
    share = rng.uniform(0.25, 0.7)
    tints = np.exp(rng.normal(0, 0.08, (2, 3)))
    lamp = 1.3 * (1 - share) * tints[0]
    ambient = share * tints[1]
    return _Light(
        towards=towards.astype(np.float32),
        colour=lamp.astype(np.float32),
        ambient=ambient.astype(np.float32),
    )


def _random_camera(vertices: Floats, rng: np.random.Generator, jitter: bool) -> Floats:
    """A camera [7] from any azimuth, whose crop is the box around the bird with its padding."""
    turn = _random_turn(rng)
    still = np.concatenate([[1, 0, 0], turn]).astype(np.float32)
    seen = _seen(vertices, still)
    low = seen[:, :2].min(axis=0)
    high = seen[:, :2].max(axis=0)
    if jitter:
        extent = high - low
        low = low + extent * rng.uniform(-JITTER, JITTER, 2)
        high = high + extent * rng.uniform(-JITTER, JITTER, 2)
    longer = (high - low).max()
    half = longer * (1 + 2 * PADDING) / 2
    middle = (low + high) / 2
    place = np.array([1, *-middle]) / half
    return np.concatenate([place, turn]).astype(np.float32)


def _random_turn(rng: np.random.Generator) -> Floats:
    """A quaternion [4] that stands the bird up and turns, tips and rolls it."""
    azimuth = about_axis("z", rng.uniform(0, 360))
    elevation = about_axis("x", rng.normal(0, _ELEVATION))
    roll = about_axis("z", rng.normal(0, _ROLL))
    stand = multiply(about_axis("x", 90.0), azimuth)
    tipped = multiply(elevation, stand)
    return np.asarray(multiply(roll, tipped).numpy())


def _drawn(
    fragments: Fragments, seen: Floats, side: int, rng: np.random.Generator
) -> dict[str, Image]:
    """The bird alone, each layer times how much of the pixel it covers [side,side,C]."""
    plumage = random_plumage(rng)
    columns = [
        plumage.colours,
        icosphere().vertices.numpy(),
        _normals(seen),
        _one_hot_labels(),
    ]
    values = fragments.of(np.concatenate(columns, axis=1))
    colours, directions, normals, labels = np.split(values, (3, 6, 9), axis=1)
    parts, zones = np.split(labels, (len(PARTS),), axis=1)
    layers = {
        "albedo": paint(plumage, colours, _unit(directions)),
        "shading": _random_light(rng).on(_unit(normals)),
        "parts": parts,
        "zones": zones,
    }
    drawn = {}
    for name, layer in layers.items():
        drawn[name] = _smaller(fragments.picture(layer), side)
    return drawn


def _random_level(rng: np.random.Generator) -> np.float32:
    """How much light falls on the background."""
    return np.float32(np.exp(rng.normal(-0.3, 0.4)))


def _smaller(picture: Image, side: int) -> Image:
    """A picture [S,S,C] with ``side`` pixels a side. OpenCV averages no more than four channels at
    a time."""
    size = (side, side)
    made = []
    for start in range(0, picture.shape[2], 4):
        some = np.ascontiguousarray(picture[..., start : start + 4])
        small = cv2.resize(some, size, interpolation=cv2.INTER_AREA)
        made.append(small.reshape(side, side, -1))
    return np.concatenate(made, axis=2, dtype=np.float32)


def photographed(light: Image, mask: Image, rng: np.random.Generator) -> Image:
    """Exposed for the bird, with a little noise, within 0..1."""
    shown = (light * mask).sum()
    pixels = 3 * mask.sum() + 1
    level = float(shown / pixels)
    gain = rng.uniform(0.2, 0.45) / max(level, 0.02)
    balance = np.exp(rng.normal(0, 0.04, 3))
    gains = min(gain, 6) * balance
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    noise *= np.float32(rng.uniform(0, 0.02))
    exposed = light * gains.astype(np.float32)
    seen = exposed + noise
    return np.asarray(np.clip(seen, 0, 1))


def _normals(seen: Floats) -> Floats:
    """The normals [642,3] of projected vertices: those of the faces around each, summed by area."""
    faces = icosphere().outward.numpy()
    a, b, c = seen[faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    columns = []
    for axis in range(3):
        weights = np.tile(normals[:, axis], 3)
        columns.append(np.bincount(faces.T.ravel(), weights, len(seen)))
    return _unit(np.stack(columns, axis=1).astype(np.float32))


@lru_cache(maxsize=1)
def _one_hot_labels() -> Floats:
    """The parts and the zones of the vertices, one by one [642,4+17]."""
    parts = np.eye(len(PARTS), dtype=np.float32)[vertex_parts()]
    zones = np.eye(len(ZONES), dtype=np.float32)[vertex_zones()]
    return np.concatenate([parts, zones], axis=1)


def _unit(vectors: Floats) -> Floats:
    x, y, z = vectors.T
    length = np.sqrt(x * x + y * y + z * z)[:, None]
    return np.asarray(vectors / np.maximum(length, 1e-8), np.float32)
