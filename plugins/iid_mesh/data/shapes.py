"""Made-up birds: seven tilted ellipsoids whose union is seen from the middle of the body.

x is forward, y to the bird's left, z up. A vertex of the template always stands for the same place
of the body: where a bird holds its beak or tail elsewhere, the directions are turned with it, so
that every shape is star-shaped and corresponds to every other, vertex by vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from iid_mesh.data.ellipsoids import Ellipsoid, reaches
from iid_mesh.template import icosphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iid_mesh.data.ellipsoids import Floats, Point

    Ints = NDArray[np.int64]

_LENGTH = 0.56  # half of every body
#: How far round the beak and the tail directions turn with them, degrees.
_WIDTHS = (30.0, 30.0)
#: How much closer vertices stand about head, beak and tail, and how far round, degrees.
_GATHERED = ((0.5, 30.0), (0.35, 12.0), (0.4, 24.0))


@dataclass(frozen=True, slots=True)
class Build:
    """What one bird is like; lengths in units of about half a bird, angles in degrees."""

    pitch: float = 15.0
    width: float = 0.33
    height: float = 0.36
    neck: float = 0.14
    rise: float = 50.0
    head: float = 0.21
    beak: float = 0.22
    beak_width: float = 0.075
    beak_dip: float = 5.0
    tail: float = 0.62
    tail_width: float = 0.15
    tail_dip: float = 5.0
    wing: float = 0.52
    wing_drop: float = 12.0


@dataclass(frozen=True, slots=True)
class Bird:
    """The ellipsoids of one bird, and where its beak and tail end."""

    parts: tuple[Ellipsoid, ...]
    beak: Point
    tail: Point


def random_build(rng: np.random.Generator) -> Build:
    """Any bird from wren to heron."""
    width = rng.uniform(0.25, 0.4)
    return Build(
        pitch=rng.uniform(-5, 40),
        width=width,
        height=width * rng.uniform(0.95, 1.25),
        neck=max(0.0, rng.normal(0.12, 0.12)),
        rise=rng.uniform(30, 70),
        head=rng.uniform(0.17, 0.25),
        beak=rng.uniform(0.1, 0.42),
        beak_width=rng.uniform(0.05, 0.1),
        beak_dip=rng.uniform(-8, 20),
        tail=rng.uniform(0.35, 0.85),
        tail_width=rng.uniform(0.09, 0.22),
        tail_dip=rng.uniform(-20, 25),
        wing=rng.uniform(0.42, 0.6),
        wing_drop=rng.uniform(0, 25),
    )


def bird_of(build: Build) -> Bird:
    """The ellipsoids of a bird. The body's own length is the same in all."""
    body = _body(build)
    shoulder = _along(body, 0.62 * _LENGTH, 0.25 * build.height)
    skull = _point_from(shoulder, build.head + build.neck, build.rise)
    tip = _point_from(skull, build.head + build.beak, -build.beak_dip)
    parts = [
        body,
        Ellipsoid("head", skull, _skull_radii(build), tilt=10),
        _neck(build, shoulder, skull),
        _beak(build, skull, tip),
    ]
    rump = _along(body, -0.55 * _LENGTH, 0.1 * build.height)
    lean = build.pitch - build.tail_dip
    end = _point_from(rump, -build.tail - 0.25, lean)
    thick = (build.tail_width, 0.09)
    parts.append(_between("tail", end, rump, thick, lean))
    parts.extend(_wings(body, build))
    return Bird(tuple(parts), tip, end)


def _body(build: Build) -> Ellipsoid:
    radii = (_LENGTH, build.width, build.height)
    return Ellipsoid("body", (0, 0, 0), radii, build.pitch)


def _skull_radii(build: Build) -> Point:
    size = build.head
    return (1.1 * size, 0.9 * size, size)


def _neck(build: Build, shoulder: Point, skull: Point) -> Ellipsoid:
    """From the shoulder into the head."""
    ends = np.asarray([shoulder, skull])
    x, y, z = ends.mean(axis=0).tolist()
    size = build.head
    long = (size + build.neck) / 2 + 0.12
    radii = (long, 0.75 * size, 0.8 * size)
    return Ellipsoid("neck", (x, y, z), radii, build.rise)


def _beak(build: Build, skull: Point, tip: Point) -> Ellipsoid:
    """From within the head to its tip."""
    root = _point_from(skull, 0.35 * build.head, -build.beak_dip)
    thick = (build.beak_width, 1.1 * build.beak_width)
    return _between("beak", root, tip, thick, -build.beak_dip)


def vertices_of(bird: Bird) -> Floats:
    """The vertices [642,3] of a bird, in the template's order, mirrored exactly."""
    turned = _turned(bird)
    distance = reaches(bird.parts, turned).max(axis=0)
    points = torch.from_numpy(turned * distance[:, None])
    template = icosphere()
    return template.symmetrise(points[: template.half_vertices]).numpy()


@lru_cache(maxsize=1)
def mean_bird() -> tuple[Bird, Floats]:
    """The bird in the middle of all, and its vertices."""
    bird = bird_of(Build())
    return bird, vertices_of(bird)


@lru_cache(maxsize=1)
def parts_of_vertices() -> tuple[str, ...]:
    """The ellipsoid on which each vertex of the mean bird lies."""
    bird, _ = mean_bird()
    winner = reaches(bird.parts, _turned(bird)).argmax(axis=0)
    return tuple(bird.parts[number].name for number in winner)


@lru_cache(maxsize=1)
def _anchors() -> tuple[Floats, Ints]:
    """The template's own directions of beak and tail [2,3] (of the mean bird, moved to the nearest
    vertex), and those vertices."""
    plain = _directions()[: icosphere().independent]
    bird = bird_of(Build())
    wanted = np.stack([_unit(bird.beak), _unit(bird.tail)])
    nearest = (wanted @ plain.T).argmax(axis=1)
    return plain[nearest], nearest


@lru_cache(maxsize=1)
def _directions() -> Floats:
    """The template's own vertices [642,3], of length 1, drawn together about head, beak and tail
    of the mean bird: these are narrower than the template's triangles."""
    gathered = icosphere().vertices.double().numpy()
    bird = bird_of(Build())
    places = (bird.parts[1].centre, bird.beak, bird.tail)
    for place, (pull, width) in zip(places, _GATHERED, strict=True):
        gathered = _gathered(gathered, _unit(place), pull, width)
    return gathered


def _turned(bird: Bird) -> Floats:
    """The template's directions [642,3] as this bird holds its beak and tail: turned about y."""
    plain = _directions()
    anchors, _ = _anchors()
    ends = np.stack([_unit(bird.beak), _unit(bird.tail)])
    turns = _less_than_half(_elevation(ends) - _elevation(anchors))
    mutual = _nearness(anchors, anchors, _WIDTHS)
    strengths = np.linalg.solve(mutual, turns)
    turn = _nearness(plain, anchors, _WIDTHS) @ strengths
    cos = np.cos(turn)
    sin = np.sin(turn)
    x, y, z = plain.T
    forward = cos * x - sin * z
    upward = sin * x + cos * z
    return np.stack([forward, y, upward], axis=1)


def _gathered(moved: Floats, place: Floats, pull: float, width: float) -> Floats:
    """Directions drawn towards ``place`` by a share that falls off with the angle."""
    share = pull * _nearness(moved, place[None], (width,))
    drawn = moved + share * (place - moved)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _nearness(these: Floats, those: Floats, widths: tuple[float, ...]) -> Floats:
    """[N,3] and [K,3] unit vectors → [N,K], 1 where they agree, falling off with the angle."""
    angle = np.arccos(np.clip(these @ those.T, -1, 1))
    return np.exp(-0.5 * (angle / np.radians(widths)) ** 2)


def _elevation(vectors: Floats) -> Floats:
    """The angle [N] of vectors in the plane of symmetry, from x towards z."""
    return np.arctan2(vectors[:, 2], vectors[:, 0])


def _less_than_half(turns: Floats) -> Floats:
    """Angles as the shorter way round, in -pi..pi."""
    return np.arctan2(np.sin(turns), np.cos(turns))


def _wings(body: Ellipsoid, build: Build) -> tuple[Ellipsoid, Ellipsoid]:
    x, _, z = _along(body, -0.12, 0.22 * build.height)
    radii = (build.wing, 0.1, 0.6 * build.height)
    out = 0.78 * build.width
    tilt = body.tilt + build.wing_drop - 12
    return (
        Ellipsoid("wing", (x, out, z), radii, tilt, splay=-6),
        Ellipsoid("wing", (x, -out, z), radii, tilt, splay=6),
    )


def _between(
    name: str, root: Point, tip: Point, radii: tuple[float, float], tilt: float
) -> Ellipsoid:
    """An ellipsoid from ``root`` to ``tip``, which lie on an axis tilted by ``tilt``."""
    ends = np.asarray([root, tip])
    way = ends[1] - ends[0]
    long = float(np.linalg.norm(way)) / 2
    x, y, z = ends.mean(axis=0).tolist()
    centre = (x, y, z)
    return Ellipsoid(name, centre, (long, *radii), tilt)


def _along(body: Ellipsoid, forward: float, upward: float) -> Point:
    """A point of the body's plane of symmetry, in its own axes."""
    axes = body.axes()
    x, y, z = (forward * axes[0] + upward * axes[2]).tolist()
    return (x, y, z)


def _point_from(start: Point, distance: float, rise: float) -> Point:
    """The point at a distance and an angle from the horizontal, in the plane of symmetry."""
    angle = np.radians(rise)
    forward = distance * float(np.cos(angle))
    upward = distance * float(np.sin(angle))
    x, y, z = start
    return (x + forward, y, z + upward)


def _unit(vector: Point) -> Floats:
    long = np.asarray(vector)
    return np.asarray(long / np.linalg.norm(long))
