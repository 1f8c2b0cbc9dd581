"""Pictures of a painted shape: the photo's view as albedo, shading and their product, and a turn
around it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.render.camera import about_axis, multiply
from iid_mesh.render.hard import Visible
from iid_mesh.surface import Surface
from iid_mesh.template import icosphere
from iid_mesh.texture import Painted

#: Behind the turning object: light gray.
_BACKGROUND = 0.7
_FILLS = 0.9  # of the picture that the turning object fills
_FROM_ABOVE = 12.0  # degrees from which it is seen


@dataclass(frozen=True, slots=True)
class Rendered:
    """``albedo`` [3,S,S] and ``shading`` [1,S,S], whose product is ``render``; ``mask`` [1,S,S] is
    1 where the shape is. Outside the albedo is 0 and the shading 1."""

    albedo: Tensor
    shading: Tensor
    mask: Tensor

    @property
    def render(self) -> Tensor:
        """[3,S,S] linear."""
        return self.albedo * self.shading


def render(surface: Surface, painted: Painted, size: int) -> Rendered:
    """What the surface's camera sees, in ``size`` × ``size`` pixels."""
    planes = surface.vertices.new_zeros(5, size, size)
    planes[3] = 1
    for rows, columns, seen in surface.tiles(size):
        tile = planes[:, rows, columns]
        values = _seen(surface, painted, seen)
        tile.copy_(values[:, : tile.shape[1], : tile.shape[2]])
    albedo, shading, mask = planes.split_with_sizes((3, 1, 1))
    return Rendered(albedo, shading, mask)


def turntable(surface: Surface, painted: Painted, frames: int, size: int) -> Tensor:
    """The shape turned once about its upright axis, beginning with its side: [T,S,S,3] linear."""
    low, high = surface.vertices.amin(0), surface.vertices.amax(0)
    centred = surface.vertices - (low + high) / 2
    reach = centred.norm(dim=1).max()
    place = surface.camera.new_tensor([_FILLS / float(reach), 0.0, 0.0])
    pictures = []
    for number in range(frames):
        turn = torch.cat([place, upright(360 * number / frames).to(place)])
        turned = Surface.of(centred, turn, icosphere())
        seen = render(turned, painted, size)
        picture = seen.render + _BACKGROUND * (1 - seen.mask)
        pictures.append(picture.permute(1, 2, 0))
    return torch.stack(pictures)


def upright(azimuth: float) -> Tensor:
    """The quaternion [4] that sees the template from a side, a little from above."""
    tilt = about_axis("x", 90.0 - _FROM_ABOVE)
    return multiply(tilt, about_axis("z", azimuth))


def _seen(surface: Surface, painted: Painted, seen: Visible) -> Tensor:
    """Albedo, shading and mask [5,S,S] of one square."""
    shading = painted.light.shading(surface.normals_at(seen))
    texture = painted.texture.permute(2, 0, 1)[None]
    grid = _places(painted, seen)[None]
    albedo = F.grid_sample(texture, grid, padding_mode="border", align_corners=False)
    mask = seen.mask
    return torch.cat(
        [
            torch.where(mask, albedo[0], 0),
            torch.where(mask, shading[None, 0], 1),
            mask.to(albedo),
        ]
    )


def _places(painted: Painted, seen: Visible) -> Tensor:
    """Where in the texture pixels look, [S,S,2] -1..1, v down: between the corners of a face it is
    as any viewer of the mesh's file does it."""
    device = seen.face.device
    layout = painted.chart
    uv = torch.from_numpy(layout.uv).to(device)
    corners = torch.from_numpy(layout.faces).to(device)
    ids = corners[seen.face[0].clamp_min(0)]
    share = seen.barycentric[0, ..., None]
    place = (uv[ids] * share).sum(2)
    down = place.new_tensor([1, -1])
    return (2 * place - 1) * down
