"""Light on matte surfaces as nine spherical harmonics a colour (Ramamoorthi and Hanrahan 2001).

Everything here is in SfSNet's axes, x down, y right, z to the viewer, and in its order
``H = [1, z, x, y, 3z²−1, xz, yz, x²−y², xy]`` with the attenuation of a matte surface folded into
the constants; a light ``[B,27]`` holds nine red, nine green, nine blue numbers. The house
(``kit.data.harmonics``) has x right, y up, Ramamoorthi's order (1, y, z, x, xy, yz, 3z²−1, xz,
x²−y²) and the light as it arrives: the two are never mixed, :func:`from_house` and :func:`to_house`
stand at the plugin's door.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

#: How records name the order of their coefficients, which are the house's.
ORDER = "1 y z x xy yz 3zz-1 xz xx-yy of the light, red then green then blue; x right, y up"

_FLAT = math.sqrt(math.pi) / 2
_LINEAR = math.sqrt(math.pi / 3)
_ZONAL = math.sqrt(5 * math.pi) / 16
_MIXED = math.sqrt(15 * math.pi) / 8
_SQUARES = math.sqrt(15 * math.pi) / 16
#: Which of the house's nine harmonics stands at each place here.
_PLACES = (0, 2, 3, 1, 6, 7, 5, 8, 4)

#: A vector of the house (x right, y up) in the axes of this module, as rows of a matrix.
_DOOR = ((0.0, -1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))


def basis(normals: Tensor) -> Tensor:
    """Unit normals [B,3,…] → the nine harmonics [B,9,…]."""
    x, y, z = normals.unbind(1)
    rows = (
        torch.full_like(z, _FLAT),
        _LINEAR * z,
        _LINEAR * x,
        _LINEAR * y,
        _ZONAL * (2 * z * z - x * x - y * y),
        _MIXED * x * z,
        _MIXED * y * z,
        _SQUARES * (x * x - y * y),
        _MIXED * x * y,
    )
    return torch.stack(rows, dim=1)


def shade(normals: Tensor, light: Tensor) -> Tensor:
    """Normals [B,3,H,W] under a light [B,27] → shading [B,3,H,W]; negative values stay."""
    colours = light.view(-1, 3, 9)
    shading: Tensor = torch.einsum("bck,bkhw->bchw", colours, basis(normals))
    return shading


def unit(vectors: Tensor) -> Tensor:
    """[B,3,…] brought to length 1."""
    return F.normalize(vectors, dim=1, eps=1e-8)


def direction(light: Tensor) -> Tensor:
    """Where most of a light [B,27] comes from: unit vectors [B,3].

    The mean over the colours of entries 1, 2, 3, which are z, x, y in this order."""
    z, x, y = light.view(-1, 3, 9).mean(1)[:, 1:4].unbind(1)
    return unit(torch.stack([x, y, z], dim=1))


def directed(light: Tensor, wanted: Tensor) -> Tensor:
    """The light [B,27] as if its source had been carried on the shortest way until it comes from
    ``wanted`` [B,3]."""
    ways = [_carrying(a, b) for a, b in zip(direction(light), unit(wanted), strict=True)]
    turned = [rotated(row[None], way) for row, way in zip(light, ways, strict=True)]
    return torch.cat(turned)


def rotated(light: Tensor, rotation: Tensor) -> Tensor:
    """The light [B,27] turned with the matrix ``rotation`` [3,3], which takes old vectors to new
    ones."""
    matrix = _on_harmonics(tuple(rotation.flatten().tolist())).to(light)
    return (light.view(-1, 3, 9) @ matrix.T).reshape(len(light), 27)


def in_plane(degrees: float) -> Tensor:
    """The rotation [3,3] that turns the picture counter-clockwise, as its viewer sees it."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # Right (y) turns up, which is −x.
    return torch.tensor([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def from_house(light: Tensor) -> Tensor:
    """A light [B,27] of the house (``kit.data.harmonics``) → as this module has it; the shading it
    makes is the same."""
    nine = light.view(-1, 3, 9)[..., list(_PLACES)] / math.pi
    return rotated(nine.reshape(light.shape), torch.tensor(_DOOR))


def to_house(light: Tensor) -> Tensor:
    """The inverse of :func:`from_house`."""
    back = [_PLACES.index(place) for place in range(9)]
    way_out = torch.tensor(_DOOR).T
    turned = rotated(light, way_out)
    nine = turned.view(-1, 3, 9) * math.pi
    house: Tensor = nine[..., back].reshape(light.shape)
    return house


def vectors_from_house(vectors: Tensor) -> Tensor:
    """Vectors [B,3,…] with x right, y up → in the axes of this module."""
    x, y, z = vectors.unbind(1)
    return torch.stack([-y, x, z], dim=1)


def vectors_to_house(vectors: Tensor) -> Tensor:
    """The inverse of :func:`vectors_from_house`."""
    x, y, z = vectors.unbind(1)
    return torch.stack([y, -x, z], dim=1)


def towards(azimuth: float, elevation: float) -> Tensor:
    """The unit vector [3] to a light: 0, 0 is the camera, positive azimuth the picture's right,
    positive elevation above; degrees."""
    around, up = math.radians(azimuth), math.radians(elevation)
    level = math.cos(up)
    return torch.tensor([-math.sin(up), level * math.sin(around), level * math.cos(around)])


def angles(vector: Tensor) -> tuple[float, float]:
    """(azimuth, elevation) in degrees of a vector [3]; the inverse of :func:`towards`."""
    down, right, near = vector.tolist()
    level = math.hypot(right, near)
    azimuth = math.atan2(right, near)
    elevation = math.atan2(-down, level)
    return math.degrees(azimuth), math.degrees(elevation)


def _carrying(start: Tensor, end: Tensor) -> Tensor:
    """The smallest rotation [3,3] that takes the unit vector ``start`` to ``end`` (Rodrigues)."""
    axis = torch.linalg.cross(start, end)
    cosine = float(start @ end)
    if cosine < -0.9999:
        return _half_turn(start)
    cross = torch.linalg.cross(torch.eye(3), axis.expand(3, 3))
    carrying: Tensor = torch.eye(3) + cross + cross @ cross / (1 + cosine)
    return carrying


def _half_turn(start: Tensor) -> Tensor:
    """By 180° about any axis across ``start``."""
    least = torch.eye(3)[int(start.abs().argmin())]
    axis = F.normalize(torch.linalg.cross(start, least), dim=0)
    return 2 * torch.outer(axis, axis) - torch.eye(3)


@lru_cache(maxsize=64)
def _on_harmonics(rotation: tuple[float, ...]) -> Tensor:
    """What a rotation does to nine coefficients: [9,9], float64.

    Harmonics up to an order stay among themselves when they turn, so equations at more points than
    there are coefficients have an exact solution."""
    points = _sphere(64)
    turned_back = points @ torch.tensor(rotation, dtype=torch.float64).view(3, 3)
    found: Tensor = torch.linalg.lstsq(basis(points), basis(turned_back)).solution
    return found


def _sphere(count: int) -> Tensor:
    """Points [count,3] spread evenly over the unit sphere (Fibonacci's spiral), float64."""
    steps = torch.arange(count, dtype=torch.float64)
    steps = steps + 0.5
    z = 1 - 2 * steps / count
    turn = math.pi * (1 + math.sqrt(5))
    around = turn * steps
    ring = (1 - z * z).sqrt()
    x = ring * around.cos()
    y = ring * around.sin()
    return torch.stack([x, y, z], dim=1)
