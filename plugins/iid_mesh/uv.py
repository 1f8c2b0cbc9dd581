"""Where a point of the template lies in its texture: spherical coordinates, u around the z axis
from -1 to 1 and v from the pole z = 1 (-1) to the other (1), after UMR (Li et al., ECCV 2020).

The published code paints each face with a lattice of its own, whose texels it confuses; its lattice
is kept here to read its checkpoints. Ours looks textures up where the template's direction points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from iid_mesh.template import Template

#: Texels along a side of a face in the published code.
LATTICE = 6
#: What keeps gradients finite at the poles, where u has no value.
_TINY = 1e-12
_ON_AXIS = 1e-6


def spherical(directions: Tensor) -> Tensor:
    """Directions [...,3] of any length → (u, v) [...,2], each -1..1."""
    x, y, z = directions.unbind(-1)
    squared = x.square() + y.square()
    pole = squared < _TINY
    x = torch.where(pole, torch.ones_like(x), x)
    across = torch.where(pole, _TINY, squared).sqrt()
    u = torch.atan2(y, x) / math.pi
    v = 2 * torch.atan2(across, z) / math.pi - 1
    return torch.stack([u, v], -1)


def lookup(texture: Tensor, uv: Tensor) -> Tensor:
    """What textures [B,C,h,w] hold at ``uv`` [B,H,W,2] → [B,C,H,W], bilinear: beyond one side of u
    lies the other, beyond a pole of v its last row. Texel centres lie at (integer + .5)."""
    width = texture.shape[-1]
    u, v = uv.unbind(-1)
    wrapped = u - 2 * torch.floor((u + 1) / 2).detach()
    # A column from the other end stands on each side.
    ringed = F.pad(texture, (1, 1, 0, 0), mode="circular")
    inside = wrapped * (width / (width + 2))
    grid = torch.stack([inside, v], -1)
    return F.grid_sample(ringed, grid, padding_mode="border", align_corners=False)


def on_surface(texture: Tensor, directions: Tensor) -> Tensor:
    """Textures [B,C,h,w] as seen in rendered pictures of the template's ``directions``
    [B,3,S,S] → [B,C,S,S]."""
    return lookup(texture, spherical(directions.movedim(1, -1)))


def at_points(texture: Tensor, points: Tensor) -> Tensor:
    """Textures [B,C,h,w] at points of the template [N,3] → [B,N,C]."""
    uv = spherical(points).expand(len(texture), 1, -1, -1)
    return lookup(texture, uv).squeeze(2).transpose(1, 2)


def centres(height: int, width: int) -> Tensor:
    """The template's unit direction at the centre of each texel, [height,width,3]."""
    rows = torch.arange(height) + 0.5
    columns = torch.arange(width) + 0.5
    polar = rows[:, None] * (math.pi / height)
    azimuth = columns * (2 * math.pi / width) - math.pi
    ring = polar.sin()
    x = ring * azimuth.cos()
    y = ring * azimuth.sin()
    z = polar.cos().expand_as(x)
    return torch.stack([x, y, z], -1)


def both_sides(right: Tensor) -> Tensor:
    """The right half of textures [...,w] (y > 0, so u > 0), mirrored to the left → [...,2w]."""
    return torch.cat([right.flip(-1), right], -1)


def painted(photos: Tensor, flow: Tensor) -> Tensor:
    """Textures [B,C,h,w] whose texels have the colours of photos [B,C,H,W] at ``flow`` [B,2,h,w]:
    x right and y down, -1..1."""
    grid = flow.movedim(1, -1)
    return F.grid_sample(photos, grid, padding_mode="border", align_corners=False)


def face_lattice(template: Template) -> Tensor:
    """The published places of texels: (u, v) for self-mirrored and right faces [F',36,2].

    Row i and column j of a face stand at v2 + i/5 (v0 - v2) + j/5 (v1 - v2), so many stand outside
    of it."""
    steps = torch.arange(LATTICE) / (LATTICE - 1)
    alpha = steps.repeat_interleave(LATTICE)[:, None]
    beta = steps.repeat(LATTICE)[:, None]
    faces = template.faces[: template.half_faces]
    first, second, third = template.vertices[faces].unsqueeze(1).unbind(2)
    along = alpha * (first - third)
    across = beta * (second - third)
    return spherical(third + along + across)


def on_faces(flow: Tensor, lattice: Tensor, template: Template) -> Tensor:
    """The published reading of flow [B,2,h,w] at :func:`face_lattice` → [B,F,6,6,2], the right
    faces' once more for the left ones."""
    grid = lattice.expand(len(flow), -1, -1, -1)
    found = F.grid_sample(flow, grid, align_corners=True)
    per_texel = found.movedim(1, -1)
    batch, faces = per_texel.shape[:2]
    per_face = per_texel.reshape(batch, faces, LATTICE, LATTICE, 2)
    left = per_face[:, template.self_mirrored :]
    return torch.cat([per_face, left], 1)


@dataclass(frozen=True, slots=True)
class Chart:
    """Places in a texture for the corners of ``Template.outward``, as meshes on disk have them:
    ``uv`` [U,2] in 0..1, v UP, ``faces`` [F,3] into it.

    A face on the seam needs texels from both ends of the texture, so that is ``margin`` columns
    longer than that of :func:`lookup`, see :func:`with_margin`."""

    uv: NDArray[np.float32]
    faces: NDArray[np.int64]
    margin: int


def chart(template: Template, width: int) -> Chart:
    """The chart for a texture of ``width`` columns before its margin."""
    corners = template.vertices[template.outward].double()
    u = _unwrapped(corners)
    v = (spherical(corners)[..., 1] + 1) / 2
    margin = _columns_beyond(u, width)
    across = u * (width / (width + margin))
    up = 1 - v
    places = torch.stack([across, up], -1)
    rows = places.view(-1, 2).numpy().round(7)
    uv, faces = np.unique(rows, axis=0, return_inverse=True)
    return Chart(uv.astype(np.float32), faces.reshape(-1, 3), margin)


def _columns_beyond(u: Tensor, width: int) -> int:
    """How many columns faces need behind the last one."""
    beyond = float(u.max() - 1)
    return math.ceil(beyond * width) + 1


def with_margin(texture: Tensor, margin: int) -> Tensor:
    """Textures [...,w] whose first columns come once more after the last [...,w+margin]."""
    return torch.cat([texture, texture[..., :margin]], -1)


def _unwrapped(corners: Tensor) -> Tensor:
    """u of the corners [F,3,3] of faces, from 0; beyond 1 on those that reach across the seam.

    A corner at a pole stands where the middle of the other two does."""
    x, y, _ = corners.unbind(-1)
    polar = x.abs() + y.abs() < _ON_AXIS
    turns = torch.atan2(y, x)
    turns = turns / (2 * math.pi) + 0.5
    first, second = turns[:, :1], turns[:, 1:2]
    begin = torch.where(polar[:, :1], second, first)
    turns = begin + _nearest_turn(turns - begin)
    elsewhere = (~polar).double()
    total = (turns * elsewhere).sum(1, keepdim=True)
    count = elsewhere.sum(1, keepdim=True)
    turns = torch.where(polar, total / count, turns)
    least = turns.min(1, keepdim=True).values
    return turns - torch.floor(least + _ON_AXIS)


def _nearest_turn(turns: Tensor) -> Tensor:
    """The same angles between -1/2 and 1/2."""
    return torch.remainder(turns + 0.5, 1) - 0.5
