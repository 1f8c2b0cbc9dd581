"""A shape as a camera sees it: vertices, normals and depths, in the picture and on the surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.render.camera import project, rotate
from iid_mesh.render.hard import Visible, visible
from iid_mesh.template import Template

#: Sides of the squares that large pictures are rendered in, pixels.
TILE = 512


@dataclass(frozen=True, slots=True)
class Surface:
    """A shape [V,3] in the template's axes before a camera [7].

    ``faces`` [F,3] are wound outward; ``projected`` [V,3] as of
    :func:`iid_mesh.render.camera.project`; ``normals`` [V,3] unit, x right, y up, z to the
    viewer."""

    vertices: Tensor
    camera: Tensor
    faces: Tensor
    projected: Tensor
    normals: Tensor

    @staticmethod
    def of(vertices: Tensor, camera: Tensor, template: Template) -> Surface:
        """The shape seen by the camera."""
        faces = template.outward.to(vertices.device)
        cameras = camera[None]
        (projected,) = project(vertices[None], cameras)
        normals = vertex_normals(vertices, faces)
        (turned,) = rotate(normals[None], cameras[:, 3:])
        # The camera looks along z, with y down.
        house = turned * turned.new_tensor([1, -1, -1])
        return Surface(vertices, camera, faces, projected, house)

    def normals_at(self, seen: Visible) -> Tensor:
        """Unit normals at pixels, [1,S,S,3]; where nothing is seen, any."""
        corners = self.faces[seen.face.clamp_min(0)]
        mixed = self.normals[corners] * seen.barycentric[..., None]
        return F.normalize(mixed.sum(3), dim=-1)

    def visible(self, size: int) -> Visible:
        """What is in front, in a picture of ``size`` × ``size``."""
        return visible(self.projected[None], self.faces, size)

    def tiles(self, size: int) -> Iterator[tuple[slice, slice, Visible]]:
        """The same in squares that need little memory: rows, columns, and what is seen there."""
        side = min(size, TILE)
        starts = range(0, size, side)
        for top, left in product(starts, starts):
            points = self._moved(left, top, size, side)
            seen = visible(points[None], self.faces, side)
            rows = slice(top, top + side)
            columns = slice(left, left + side)
            yield rows, columns, seen

    def _moved(self, left: int, top: int, size: int, side: int) -> Tensor:
        """The points as they stand in one tile, -1..1 across it."""
        corner = self.projected.new_tensor([left, top])
        pixels = (self.projected[:, :2] + 1) * (size / 2) - corner
        return torch.cat([pixels * (2 / side) - 1, self.projected[:, 2:]], 1)


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals [V,3], the mean of the faces around by their area."""
    a, b, c = vertices[faces].unbind(1)
    across = torch.linalg.cross(b - a, c - a)
    sums = torch.zeros_like(vertices)
    for corner in faces.unbind(1):
        sums = sums.index_add(0, corner, across)
    return F.normalize(sums, dim=1, eps=1e-20)
