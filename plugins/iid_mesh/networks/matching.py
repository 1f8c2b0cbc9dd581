"""The texture flow as a matter of likeness: each vertex of the template looks for the pixel that
looks like it, around the place where the network's own mesh shows it.

Canonical surface maps (Kulkarni et al., ICCV 2019) ask the same of pixels. The flow of UMR (Li et
al., ECCV 2020) comes out of one vector; it knows no pixels, and tends to the object's middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.losses.texture import places
from iid_mesh.template import icosphere
from iid_mesh.uv import centres
from intrinsic_cli.kit.networks.blocks import with_gradient

_WIDTH = 64
#: How far from its place on the mesh a vertex looks at first, in units of the picture (-1..1).
_SPREAD = 0.35
#: Rows of the flow; it has twice as many columns.
HEIGHT = 64
#: The power of chances where one place is wanted: the mean of all would lie in the middle where a
#: vertex is seen twice.
_SHARPNESS = 2


class Matching(nn.Module):
    """Maps of an encoder, each half as large as the one before, and its features [B,F] → how much
    vertices look like the pixels of the first map, about where the mesh has them:
    projected points [B,642,3]."""

    def __init__(self, channels: Sequence[int], features: int, vertices: int) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(count, _WIDTH, 1) for count in channels)
        self.whole = nn.Linear(features, _WIDTH)
        self.first = _filtered()
        self.second = _filtered()
        self.third = _filtered()
        self.exit = nn.Conv2d(_WIDTH, _WIDTH, 1)
        self.looks = nn.Parameter(0.1 * torch.randn(vertices, _WIDTH))
        self.spread = nn.Parameter(torch.tensor(_SPREAD).log())

    def forward(self, maps: Sequence[Tensor], features: Tensor, points: Tensor) -> Likeness:
        pairs = zip(self.sides, maps, strict=True)
        sides = [side(with_gradient(x)) for side, x in pairs]
        merged = sides.pop() + self.whole(features)[..., None, None]
        while len(sides) > 1:
            merged = sides.pop() + _doubled(merged)
        merged = merged + self.first(merged)
        merged = merged + self.second(merged)
        merged = sides.pop() + _doubled(merged)
        merged = merged + self.third(merged)
        pixels = self.exit(merged)
        values = torch.einsum("vc,bchw->bvhw", self.looks, pixels)
        return Likeness(values, points[..., :2], self.spread.exp())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much vertices look like pixels, ``values`` [B,337,h,h]; ``expected`` [B,642,2] are the
    places where the mesh has them, seen or not, about which they look as far as ``spread`` says."""

    values: Tensor
    expected: Tensor
    spread: Tensor

    def pixels(self) -> Tensor:
        """Where the pixels lie [h·h,2], x right and y down, -1..1."""
        return places(self.values)[0].flatten(1).T

    def chances(self, some: Tensor | None = None) -> Tensor:
        """Those of pixels of being where vertices have their colours from [B,V,h·h]: of all, or of
        ``some`` [V], by number."""
        halves = _halves().to(self.values.device)
        expected = self.expected
        if some is not None:
            halves, expected = halves[some], expected[:, some]
        at = self.pixels().expand(len(expected), -1, -1)
        apart = torch.cdist(expected, at) / self.spread
        alike = self.values.flatten(2)[:, halves]
        return (alike - apart.square() / 2).softmax(2)

    def flow(self) -> Tensor:
        """The texture flow [B,2,64,128]: of every vertex the mean of its likeliest pixels. Those
        of the far side find what looks like them on the near one."""
        sharp = self.chances() ** _SHARPNESS
        mean = sharp @ self.pixels() / sharp.sum(2, keepdim=True)
        return over_template(mean)


def over_template(values: Tensor) -> Tensor:
    """Values at vertices [B,642,C] as a picture over the template [B,C,64,128]."""
    corners, shares = _charted()
    corners = corners.to(values.device)
    weights = shares.to(values)[..., None]
    mixed = values[:, corners] * weights
    rows = mixed.sum(2).mT
    shape = (len(values), -1, HEIGHT, 2 * HEIGHT)
    return rows.reshape(shape)


def _filtered() -> nn.Sequential:
    filters = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
    return nn.Sequential(nn.GroupNorm(8, _WIDTH), nn.SiLU(), filters)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


@cache
def _halves() -> Tensor:
    """The vertex of the right half that each vertex is, or is the image of [642]."""
    template = icosphere()
    count = template.half_vertices
    every = torch.arange(len(template.vertices))
    return torch.where(every < count, every, template.mirror)


@cache
def _charted() -> tuple[Tensor, Tensor]:
    """The corners [H·W,3] of the face on which each texel lies, and their shares [H·W,3]."""
    template = icosphere()
    directions = centres(HEIGHT, 2 * HEIGHT).flatten(0, 1)
    sides = torch.linalg.inv(template.vertices[template.faces])
    shares = torch.einsum("tc,fcs->tfs", directions, sides)
    face = shares.amin(2).argmax(1)
    row = torch.arange(len(face))
    own = shares[row, face].clamp_min(0)
    total = own.sum(1, keepdim=True)
    return template.faces[face], own / total
