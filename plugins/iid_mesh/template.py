"""The template: an icosphere, mirrored at the plane y = 0, in the order of UMR (Li et al., ECCV
2020), so that its checkpoints can be used.

Vertices come as [independent | right | left]: those of the plane, those with y > 0, and their
mirror images in the same order. Faces come as [self-mirrored | right | left]: the ids of a left one
are those of its right twin, mirrored one by one, so one of the two is wound the wrong way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Midpoint refinements of the icosahedron: 642 vertices, 1280 faces.
REFINEMENTS = 3

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

_GOLDEN = (1 + math.sqrt(5)) / 2
_ON_PLANE = 1e-9
_CORNERS = (
    (-1, _GOLDEN, 0),
    (1, _GOLDEN, 0),
    (-1, -_GOLDEN, 0),
    (1, -_GOLDEN, 0),
    (0, -1, _GOLDEN),
    (0, 1, _GOLDEN),
    (0, -1, -_GOLDEN),
    (0, 1, -_GOLDEN),
    (_GOLDEN, 0, -1),
    (_GOLDEN, 0, 1),
    (-_GOLDEN, 0, -1),
    (-_GOLDEN, 0, 1),
)
#: Five faces around the first corner, five beside these, five around the last, five beside those.
_SIDES = (
    *((0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11)),
    *((1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6), (7, 1, 8)),
    *((3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9)),
    *((4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7), (9, 8, 1)),
)


@dataclass(frozen=True, eq=False)
class Template:
    """A mirrored sphere of radius 1, with V vertices, F faces and E edges.

    ``vertices`` [V,3] float32; ``faces`` [F,3] in UMR's order; ``outward`` [F,3] the same ones, all
    wound counter-clockwise as seen from outside; ``mirror`` [V] the id of each vertex' image.
    ``independent`` vertices and ``self_mirrored`` faces are their own images."""

    vertices: Tensor
    faces: Tensor
    outward: Tensor
    mirror: Tensor
    independent: int
    self_mirrored: int

    @property
    def sided(self) -> int:
        """How many vertices lie on each side of the plane."""
        return (len(self.vertices) - self.independent) // 2

    @property
    def half_vertices(self) -> int:
        """Independent and right vertices: what a network predicts."""
        return self.independent + self.sided

    @property
    def half_faces(self) -> int:
        """Self-mirrored and right faces."""
        return (len(self.faces) + self.self_mirrored) // 2

    def symmetrise(self, half: Tensor, free: bool = False) -> Tensor:
        """Independent and right vertices, or their offsets, [...,half_vertices,3] → all [...,V,3].

        The independent ones stay on the plane; ``free``: they may leave it, as in the published
        code."""
        middle = half[..., : self.independent, :]
        right = half[..., self.independent :, :]
        if not free:
            middle = middle * half.new_tensor((1, 0, 1))
        left = right * half.new_tensor((1, -1, 1))
        return torch.cat([middle, right, left], -2)

    @cached_property
    def edges(self) -> Tensor:
        """Each pair of neighbours once, [E,2], the smaller id first."""
        return self.dihedrals[:, :2].contiguous()

    @cached_property
    def degrees(self) -> Tensor:
        """How many neighbours each vertex has, [V] float32."""
        return torch.bincount(self.edges.flatten(), minlength=len(self.vertices)).float()

    @cached_property
    def dihedrals(self) -> Tensor:
        """The edges with the third corners of the two faces beside them, [E,4]."""
        return torch.from_numpy(_dihedrals(self.faces.cpu().numpy())).to(self.faces.device)

    def to(self, device: torch.device | str) -> Template:
        """The same with all tensors on the device."""
        return replace(
            self,
            vertices=self.vertices.to(device),
            faces=self.faces.to(device),
            outward=self.outward.to(device),
            mirror=self.mirror.to(device),
        )


@cache
def icosphere(refinements: int = REFINEMENTS) -> Template:
    """The template on the CPU; the same object for every caller, not to be written to."""
    points, faces = _icosahedron()
    for _ in range(refinements):
        points, faces = _refined(points, faces)
    order, independent = _sides_in_order(points)
    rank = np.argsort(order)
    points = points[order]
    mirror = _mirror(len(points), independent)
    arranged, self_mirrored = _faces_in_order(rank[faces], mirror, independent)
    return Template(
        vertices=torch.from_numpy(points).float(),
        faces=torch.from_numpy(arranged),
        outward=torch.from_numpy(_outward(points, arranged)),
        mirror=torch.from_numpy(mirror),
        independent=independent,
        self_mirrored=self_mirrored,
    )


def _icosahedron() -> tuple[Points, Faces]:
    points = np.array(_CORNERS)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / lengths, np.array(_SIDES)


def _refined(points: Points, faces: Faces) -> tuple[Points, Faces]:
    """Each face in four."""
    grown = _Points(list(points))
    parts: list[tuple[int, int, int]] = []
    for a, b, c in faces.tolist():
        ab = grown.midpoint(a, b)
        bc = grown.midpoint(b, c)
        ca = grown.midpoint(c, a)
        parts += [
            (a, ab, ca),
            (b, bc, ab),
            (c, ca, bc),
            (ab, bc, ca),
        ]
    return np.array(grown.points), np.array(parts)


@dataclass
class _Points:
    """Points of the sphere, to which midpoints of edges are added, each once."""

    points: list[Points]
    midpoints: dict[frozenset[int], int] = field(default_factory=dict)

    def midpoint(self, one: int, other: int) -> int:
        """The id of the point between two, moved out onto the sphere."""
        edge = frozenset((one, other))
        if edge not in self.midpoints:
            middle = self.points[one] + self.points[other]
            self.midpoints[edge] = len(self.points)
            self.points.append(middle / np.linalg.norm(middle))
        return self.midpoints[edge]


def _sides_in_order(points: Points) -> tuple[Faces, int]:
    """The ids of the vertices as [independent | right | left], and how many are independent."""
    across = points[:, 1]
    middle = np.flatnonzero(np.abs(across) < _ON_PLANE)
    right = np.flatnonzero(across > _ON_PLANE)
    rounded = points.round(6)
    ids: dict[tuple[float, ...], int] = {}
    for number, point in enumerate(rounded.tolist()):
        ids[tuple(point)] = number
    left = []
    for x, y, z in rounded[right].tolist():
        left.append(ids[x, -y, z])
    return np.concatenate([middle, right, left]), len(middle)


def _mirror(count: int, independent: int) -> Faces:
    ids = np.arange(count)
    half = (count + independent) // 2
    return np.concatenate([ids[:independent], ids[half:], ids[independent:half]])


def _faces_in_order(faces: Faces, mirror: Faces, independent: int) -> tuple[Faces, int]:
    """The faces as [self-mirrored | right | left], and how many are self-mirrored."""
    half = (len(mirror) + independent) // 2
    seen: set[frozenset[int]] = set()
    middle, right, left = [], [], []
    for face in faces:
        twin = mirror[face]
        corners = frozenset(face.tolist())
        image = frozenset(twin.tolist())
        if corners in seen:
            continue
        seen |= {corners, image}
        if corners == image:
            middle.append(face)
        elif _counts_as_right(face, independent, half):
            right.append(face)
            left.append(twin)
        else:
            right.append(twin)
            left.append(face)
    return np.array(middle + right + left), len(middle)


def _counts_as_right(face: Faces, independent: int, half: int) -> bool:
    """Whether the first of two twins is the right one in UMR's order: if it lies there; fourteen of
    the left ones are taken for right ones, where a left corner comes before one of the plane."""
    left = face >= half
    if not left.any():
        return True
    plane_next = face[1:] < independent
    return bool((left[:-1] & plane_next).any())


def _outward(points: Points, faces: Faces) -> Faces:
    a, b, c = np.moveaxis(points[faces], 1, 0)
    normals = np.cross(b - a, c - a)
    inward = (normals * (a + b + c)).sum(1) < 0
    turned = faces.copy()
    turned[inward] = faces[inward][:, [0, 2, 1]]
    return turned


def _dihedrals(faces: Faces) -> Faces:
    """Every edge, in the order of the faces, with the corners opposite to it."""
    thirds: dict[tuple[int, int], list[int]] = {}
    for a, b, c in faces.tolist():
        around = (
            (a, b, c),
            (b, c, a),
            (c, a, b),
        )
        for one, other, third in around:
            edge = (min(one, other), max(one, other))
            thirds.setdefault(edge, []).append(third)
    edges = np.array(list(thirds))
    opposite = np.array(list(thirds.values()))
    return np.hstack([edges, opposite])
