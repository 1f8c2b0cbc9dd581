"""Where a photo was taken from, found by where the middles of its zones lie.

From every side, the middles of the zones that are seen of a template are laid over those of the
photo by the best turn in the picture, scale and shift (Procrustes; Umeyama 1991). How far apart
they stay, and how unlike the areas of the zones are, tells the sides apart. Wings and legs count
for nothing: they are held in all ways while the body says how the animal stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iid_mesh.found_cameras import Found, boxes
from iid_mesh.losses.texture import places
from iid_mesh.render.camera import about_axis, multiply, project
from iid_mesh.render.hard import interpolated, visible
from iid_mesh.template import icosphere

AZIMUTHS = 36
ELEVATIONS = (-60, -50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50, 60)
#: The roll and the elevation, in degrees, that are as unlikely as ``_UNLIKELY`` of all distances.
_ROLL, _ELEVATION = 25.0, 40.0
_UNLIKELY = 0.03
#: The misfit that makes a camera e times less likely.
_TOLERANCE = 0.05
#: The share of an object from which on a zone is seen.
_SEEN = 0.004
_RENDERED = 48
_SCALE = 0.9
_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class Middles:
    """``areas`` [N,K] of zones, shares of the object, and where they lie: ``places`` [N,K], complex
    numbers x + iy, for a turn and a scale of the picture are a factor of these."""

    areas: Tensor
    places: Tensor

    @staticmethod
    def of(maps: Tensor) -> Middles:
        """Of zone maps [N,K,S,S] without a background."""
        areas = maps.sum((2, 3))
        # Sums over the picture, of x and of y.
        x, y = places(maps)[0]
        across = (maps * x).sum((2, 3))
        down = (maps * y).sum((2, 3))
        middle = torch.complex(across, down) / areas.clamp_min(1e-6)
        return Middles(areas / areas.sum(1, keepdim=True).clamp_min(1e-6), middle)


class ZoneSearch(nn.Module):
    """A template ``shape`` [642,3] with ``zones`` [642,K], of which ``weights`` [K] say how much
    each counts, seen from all around. Shape and zones are kept in the state."""

    shape: Tensor
    zones: Tensor
    anchors: Tensor
    weights: Tensor
    sides: Tensor
    turns: Tensor

    def __init__(self, anchors: Tensor, weights: Tensor) -> None:
        super().__init__()
        count = len(icosphere().vertices)
        self.register_buffer("shape", torch.zeros(count, 3))
        self.register_buffer("zones", torch.zeros(count, len(weights)))
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("weights", weights, persistent=False)
        sides = torch.cartesian_prod(torch.arange(AZIMUTHS), torch.tensor(ELEVATIONS)).float()
        sides[:, 0] *= 360 / AZIMUTHS
        self.register_buffer("sides", sides, persistent=False)
        self.register_buffer("turns", _seen_from(sides), persistent=False)
        self._middles: Middles | None = None

    @property
    def ready(self) -> bool:
        """Has it got a template?"""
        return bool(self.zones.any())

    def look_at(self, shape: Tensor, zones: Tensor) -> None:
        """Take another template."""
        self.shape.copy_(shape)
        self.zones.copy_(zones)
        self._middles = None

    @torch.no_grad()
    def forward(self, maps: Tensor, mask: Tensor) -> Found:
        """From zone maps [B,1+K,H,W], the background first, and silhouettes [B,1,H,W]."""
        misfit, rolls = self._compared(Middles.of(maps[:, 1:]))
        every = self.turns.expand(len(maps), -1, -1)
        turns = multiply(about_axis("z", rolls), every)
        chances = torch.softmax(-misfit / _TOLERANCE, 1)
        return Found.among(turns, chances, self.anchors, boxes(mask))

    def _compared(self, photos: Middles) -> tuple[Tensor, Tensor]:
        """How badly photos and the template from all sides fit [B,N], and the turns in the picture
        with which they fit best, degrees [B,N]."""
        template = self._seen()
        ours, theirs = photos.areas[:, None], template.areas[None]
        weights = self.weights * torch.minimum(ours, theirs)
        weights = weights * ((ours > _SEEN) & (theirs > _SEEN))
        shares = weights / weights.sum(2, keepdim=True).clamp_min(1e-6)
        distance, angle = _aligned(template.places[None], photos.places[:, None], shares)
        unlike = (ours.sqrt() - theirs.sqrt()).square() * self.weights
        rolls = torch.rad2deg(angle)
        elevations = self.sides[:, 1]
        odd = (rolls / _ROLL).square() + (elevations / _ELEVATION).square()
        return distance + unlike.sum(2) + _UNLIKELY * odd, rolls

    def _seen(self) -> Middles:
        """The zones of the template from all sides."""
        if self._middles is None:
            maps = [self._rendered(some) for some in torch.split(self.turns, _AT_ONCE)]
            self._middles = Middles.of(torch.cat(maps))
        return self._middles

    def _rendered(self, turns: Tensor) -> Tensor:
        place = turns.new_tensor([_SCALE, 0, 0]).expand(len(turns), 3)
        points = project(self.shape, torch.cat([place, turns], 1))
        faces = icosphere().faces.to(turns.device)
        seen = visible(points, faces, _RENDERED)
        return interpolated(seen, faces, self.zones.expand(len(turns), -1, -1))


def _seen_from(sides: Tensor) -> Tensor:
    """Azimuths and elevations [N,2], degrees → turns [N,4]."""
    azimuth, elevation = sides.unbind(1)
    stand = multiply(about_axis("x", 90.0), about_axis("z", azimuth))
    return multiply(about_axis("x", elevation), stand)


def _aligned(these: Tensor, those: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Points [...,K], complex, laid over others: the share of these' spread that stays between them
    [...], 0..1, and the angle of the turn, radians."""
    one = these - (shares * these).sum(-1, keepdim=True)
    other = those - (shares * those).sum(-1, keepdim=True)
    cross = (shares * one.conj() * other).sum(-1)
    spread = (shares * one.abs().square()).sum(-1)
    wanted = (shares * other.abs().square()).sum(-1)
    explained = cross.abs().square() / (spread * wanted).clamp_min(1e-9)
    return 1 - explained, cross.angle()
