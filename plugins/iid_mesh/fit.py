"""A shape and a camera fitted to a silhouette, with a network's guess to begin with or without.

A network's camera keeps its turn, which outlines tell less of than they seem to, and its shape is
bent as a whole: what a vertex stands for must not change.

Without one the object is taken to be seen from its side: the mirror plane of the template is the
plane of the photo, vertices move in that plane until they fill the silhouette, and the depth, which
no silhouette tells, is that of a balloon (:mod:`iid_mesh.inflation`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam

from iid_mesh.inflation import thickness
from iid_mesh.render.camera import anchors, project
from iid_mesh.render.hard import visible
from iid_mesh.render.soft import silhouettes
from iid_mesh.template import Template, icosphere

#: Side of the silhouettes that are compared, pixels.
SIZE = 96
#: Side at which the result is measured.
_MEASURED = 192
#: Peak rates of Adam: vertices, scale and shift.
_RATES = (8e-3, 1e-2)
_SOFTEST, _SHARPEST = 3e-4, 3e-5  # sigma of silhouettes, at the start and at the end
#: What offsets cost that differ from their neighbours', where nothing is known of the shape; and of
#: a network's shape, whose vertices know what they stand for: keypoints are found again as often
#: as after fits that are twenty times stiffer, whose outlines are worse (on rendered birds IoU .78
#: instead of .86).
_LOOSE, _STIFF = 0.15, 0.5
_DEFORM = 0.05
#: Times the depth of a balloon is averaged with its neighbours'.
_EVEN = 3
#: The share of the silhouette's box that a mesh is no thinner than.
_THINNEST = 0.02


@dataclass(frozen=True, slots=True)
class Start:
    """Where a fit begins: independent and right vertices [H,3], and a camera [7], whose turn
    stays. ``stiffness`` is what offsets cost that differ from their neighbours'."""

    half: Tensor
    camera: Tensor
    stiffness: float = _STIFF


@dataclass(frozen=True, slots=True)
class Fitted:
    """A whole shape [V,3] in the template's axes, the camera [7] that sees it, and how well its
    outline fits the silhouette (intersection over union)."""

    vertices: Tensor
    camera: Tensor
    iou: float


def fit(mask: Tensor, steps: int, start: Start | None = None, size: int = SIZE) -> Fitted:
    """Fit to a silhouette [S,S], 0..1, of a square picture, in ``steps`` of Adam; ``size`` is the
    side of the silhouettes that are compared, pixels, at most."""
    with torch.inference_mode(False), torch.enable_grad():
        target = _at_size(mask.detach().clone().float(), min(size, len(mask)))
        begin = side_on(target) if start is None else _own(start)
        fitting = _Fitting(target, begin, icosphere().to(mask.device))
        for number in range(steps):
            fitting.step(number / steps)
    with torch.no_grad():
        vertices, camera = fitting.shape(), fitting.camera()
        if start is None:
            vertices = inflated(vertices, camera, target, fitting.template)
        vertices, camera = vertices.detach(), camera.detach()
        return Fitted(vertices, camera, overlap(vertices, camera, mask))


def side_on(mask: Tensor) -> Start:
    """An ellipsoid seen from its side, in the box of the silhouette [S,S]."""
    inside = mask > 0.5
    left, right = _span(inside.any(0))
    top, bottom = _span(inside.any(1))
    wide = (right - left) / 2
    high = (bottom - top) / 2
    scale = max(wide, high)
    sphere = icosphere().to(mask.device)
    sides = mask.new_tensor([wide / scale, 1.0, high / scale])
    half = sphere.vertices[: sphere.half_vertices] * sides
    place = mask.new_tensor([scale, left + wide, top + high])
    turn = anchors(1)[0].to(mask)
    return Start(half, torch.cat([place, turn]), _LOOSE)


def inflated(vertices: Tensor, camera: Tensor, mask: Tensor, template: Template) -> Tensor:
    """The shape [V,3], seen from its side, with the depth of a balloon of the silhouette."""
    seen = project(vertices[None], camera[None])
    places = seen[None, ..., :2]
    balloon = thickness(mask)[None, None]
    found = F.grid_sample(balloon, places, align_corners=False)
    depth = found.view(-1, 1) / camera[0]
    for _ in range(_EVEN):
        around = _neighbours(depth, template)
        depth = (depth + around) / 2
    extent = (vertices.amax(0) - vertices.amin(0)).max()
    thick = torch.maximum(depth[:, 0], _THINNEST * extent)
    x, _, z = vertices.unbind(1)
    side = template.vertices[:, 1].sign()
    return torch.stack([x, side * thick, z], 1)


def overlap(vertices: Tensor, camera: Tensor, mask: Tensor) -> float:
    """Intersection over union of the outline of a shape and a silhouette [S,S]."""
    target = _at_size(mask.float(), _MEASURED) > 0.5
    faces = icosphere().faces.to(vertices.device)
    points = project(vertices[None], camera[None])
    seen = visible(points, faces, _MEASURED).mask[0]
    either = int((seen | target).sum())
    both = int((seen & target).sum())
    return both / max(1, either)


class _Fitting:
    """The numbers that move: offsets of vertices, and the camera."""

    def __init__(self, target: Tensor, start: Start, template: Template) -> None:
        self.target = target
        self.start = start
        self.template = template
        self.offsets = torch.zeros_like(start.half, requires_grad=True)
        self.place = start.camera[:3].clone().requires_grad_()
        moving = [self.offsets, self.place]
        groups = [{"params": [each]} for each in moving]
        self.adam = Adam(groups, lr=_RATES[0])

    def shape(self) -> Tensor:
        """All vertices [V,3]."""
        return self.template.symmetrise(self.start.half + self.offsets)

    def camera(self) -> Tensor:
        """The camera [7], its quaternion of length 1."""
        turn = F.normalize(self.start.camera[3:], dim=0)
        return torch.cat([self.place, turn])

    def step(self, passed: float) -> None:
        """One step of Adam; ``passed`` is the share of the steps before it."""
        slower = 0.5 + 0.5 * math.cos(math.pi * passed)
        for group, rate in zip(self.adam.param_groups, _RATES, strict=True):
            group["lr"] = rate * slower
        sigma = _SOFTEST * (_SHARPEST / _SOFTEST) ** passed
        self.adam.zero_grad()
        torch.autograd.backward([self._loss(sigma)])
        self.adam.step()

    def _loss(self, sigma: float) -> Tensor:
        target = self.target
        points = project(self.shape()[None], self.camera()[None])
        (seen,) = silhouettes(points, self.template.faces, len(target), sigma)
        both = (seen * target).sum()
        either = seen.sum() + target.sum() - both
        covered: Tensor = both / (either + 1e-6)
        return 1 - covered + self._bumps() + self._deform()

    def _bumps(self) -> Tensor:
        """How far offsets differ from those of their neighbours."""
        moved = self.template.symmetrise(self.offsets)
        bumps = moved - _neighbours(moved, self.template)
        return self.start.stiffness * bumps.square().sum()

    def _deform(self) -> Tensor:
        """How long offsets are."""
        squared = self.offsets.square().sum(1)
        lengths = (squared + 1e-12).sqrt()
        return _DEFORM * lengths.mean()


def _neighbours(values: Tensor, template: Template) -> Tensor:
    """The means of the neighbours' values [V,C] → [V,C]."""
    one, other = template.edges.unbind(1)
    sums = torch.zeros_like(values)
    sums = sums.index_add(0, one, values[other])
    sums = sums.index_add(0, other, values[one])
    return sums / template.degrees.to(values)[:, None]


def _own(start: Start) -> Start:
    """Copies that gradients may pass."""
    half = start.half.detach().clone()
    return Start(half, start.camera.detach().clone(), start.stiffness)


def _at_size(mask: Tensor, size: int) -> Tensor:
    whole = mask[None, None]
    shrinks = size < len(mask)
    resized = F.interpolate(whole, (size, size), mode="bilinear", antialias=shrinks)
    return resized[0, 0].clamp(0, 1)


def _span(inside: Tensor) -> tuple[float, float]:
    """Where the first of the pixels inside [S] begins and the last one ends, -1..1; all of the row
    where there is none."""
    size = len(inside)
    places = inside.nonzero().flatten().tolist()
    first, last = 0, size - 1
    if places:
        first, last = places[0], places[-1]
    begin = 2 * first / size - 1
    end = 2 * (last + 1) / size - 1
    return begin, end
