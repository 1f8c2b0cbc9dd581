"""Where a photo was taken from, found without being told: its part maps are compared with those of
the template seen from all around.

What is found teaches the network's cameras. It needs a template that roughly fits and parts that
lie roughly right, photos and silhouettes alone leave cameras at chance.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from iid_mesh.found_cameras import Found
from iid_mesh.framing import Box, boxes, cut, framed
from iid_mesh.render.camera import about_axis, multiply, project
from iid_mesh.render.hard import interpolated, visible
from iid_mesh.template import icosphere

AZIMUTHS = 24
ELEVATIONS = (-30.0, -15.0, 0.0, 15.0, 30.0)
ROLLS = (-10.0, 0.0, 10.0)
#: Sides of the compared pictures when they are rendered, and when they are compared.
_RENDERED, _COMPARED = 32, 16
#: The squared difference of pictures that makes a camera e times less likely.
_TOLERANCE = 5.0
_AT_ONCE = 60


class CameraSearch(nn.Module):
    """A template ``shape`` [642,3] with ``parts`` [642,4], seen from all around.

    Both are kept in the state; the pictures are rendered again when they are first needed."""

    shape: Tensor
    parts: Tensor
    anchors: Tensor
    turns: Tensor

    def __init__(self, anchors: Tensor) -> None:
        super().__init__()
        count = len(icosphere().vertices)
        self.register_buffer("shape", torch.zeros(count, 3))
        self.register_buffer("parts", torch.zeros(count, 4))
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("turns", all_around(), persistent=False)
        self._pictures: Tensor | None = None

    def look_at(self, shape: Tensor, parts: Tensor) -> None:
        """Take another template."""
        self.shape.copy_(shape)
        self.parts.copy_(parts)
        self._pictures = None

    @torch.no_grad()
    def forward(self, maps: Tensor, mask: Tensor) -> Found:
        """From part maps [B,5,H,W], or silhouettes alone [B,1,H,W], and silhouettes
        [B,1,H,W]."""
        box = boxes(mask)
        apart = self._differences(maps, box)
        chances = torch.softmax(-apart / _TOLERANCE, 1)
        turns = self.turns.expand(len(chances), -1, -1)
        return Found.among(turns, chances, self.anchors, box)

    def _differences(self, maps: Tensor, box: Box) -> Tensor:
        """Squared differences of photos from all pictures: [B,N]."""
        pictures = self._seen()
        if maps.shape[1] == 1:
            pictures, seen = pictures.sum(1, keepdim=True), cut(maps, box, _RENDERED)
        else:
            seen = cut(maps[:, 1:], box, _RENDERED)
        ours, theirs = _compared(seen), _compared(pictures)
        cross = ours @ theirs.T
        return ours.square().sum(1, keepdim=True) - 2 * cross + theirs.square().sum(1)

    def _seen(self) -> Tensor:
        """The part maps of the template [N,4,S,S], each filling its picture."""
        if self._pictures is None:
            shapes = self.shape.expand(len(self.turns), -1, -1)
            unit = Box(shapes.new_zeros(len(shapes), 2), shapes.new_ones(len(shapes)))
            cameras = framed(shapes, self.turns, unit)
            parts = [self._rendered(some) for some in torch.split(cameras, _AT_ONCE)]
            self._pictures = torch.cat(parts)
        return self._pictures

    def _rendered(self, cameras: Tensor) -> Tensor:
        faces = icosphere().faces.to(cameras.device)
        seen = visible(project(self.shape, cameras), faces, _RENDERED)
        return interpolated(seen, faces, self.parts.expand(len(cameras), -1, -1))


def all_around() -> Tensor:
    """Turns [N,4] that look from every azimuth, from below and above, a little rolled."""
    grid = torch.cartesian_prod(
        torch.arange(AZIMUTHS) * (360.0 / AZIMUTHS), torch.tensor(ELEVATIONS), torch.tensor(ROLLS)
    )
    azimuth, elevation, roll = grid.unbind(1)
    stand = multiply(about_axis("x", 90.0), about_axis("z", azimuth))
    return multiply(about_axis("z", roll), multiply(about_axis("x", elevation), stand))


def _compared(pictures: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(pictures, _COMPARED).flatten(1)
