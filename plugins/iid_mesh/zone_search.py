"""Where a photo was taken from, found by where the middles of its zones lie.

From every side, the middles of the zones that are seen of a template are laid over those of the
photo by the best turn in the picture, scale and shift (Procrustes; Umeyama 1991). How far apart
they stay, and how unlike the areas of the zones are, tells the sides apart. Wings, legs, the rump
that wings cover and the tip of the tail count for nothing: they are held in all ways while the body
says how the animal stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from iid_mesh.found_cameras import Found
from iid_mesh.framing import Box
from iid_mesh.losses.texture import places
from iid_mesh.render.camera import about_axis, multiply, project
from iid_mesh.render.hard import interpolated, visible
from iid_mesh.template import icosphere

AZIMUTHS = 36
ELEVATIONS = (-60, -50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50, 60)
#: The roll and the elevation, in degrees, that are as unlikely as ``_UNLIKELY`` of all distances.
_ROLL, _ELEVATION = 25.0, 30.0
_UNLIKELY = 0.03
#: The misfit that makes a camera e times less likely.
_TOLERANCE = 0.02
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
        x, y = places(maps)[0]
        across = (maps * x).sum((2, 3))
        down = (maps * y).sum((2, 3))
        middle = torch.complex(across, down) / areas.clamp_min(1e-6)
        return Middles(areas / areas.sum(1, keepdim=True).clamp_min(1e-6), middle)


class ZoneSearch(nn.Module):
    """Zones of a template as they are seen from all around: their ``areas`` [N,K] and ``middles``
    [N,K,2], all 0 until there is a template. ``weights`` [K] say how much each zone counts."""

    anchors: Tensor
    weights: Tensor
    areas: Tensor
    middles: Tensor
    sides: Tensor
    turns: Tensor

    def __init__(self, anchors: Tensor, weights: Tensor) -> None:
        super().__init__()
        sides = torch.cartesian_prod(torch.arange(AZIMUTHS), torch.tensor(ELEVATIONS)).float()
        sides[:, 0] *= 360 / AZIMUTHS
        self.register_buffer("areas", torch.zeros(len(sides), len(weights)))
        self.register_buffer("middles", torch.zeros(len(sides), len(weights), 2))
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("weights", weights, persistent=False)
        self.register_buffer("sides", sides, persistent=False)
        self.register_buffer("turns", _seen_from(sides), persistent=False)

    @property
    def ready(self) -> bool:
        """Has it got a template?"""
        return bool(self.areas.any())

    @torch.no_grad()
    def look_at(self, shape: Tensor, zones: Tensor) -> None:
        """Take another template: a shape [642,3] with zones [642,K]."""
        groups = torch.split(self.turns, _AT_ONCE)
        maps = [_rendered(shape, zones, turns) for turns in groups]
        seen = Middles.of(torch.cat(maps))
        self.areas.copy_(seen.areas)
        self.middles.copy_(torch.view_as_real(seen.places))

    @torch.no_grad()
    def forward(self, maps: Tensor, box: Box) -> Found:
        """From zone maps [B,1+K,H,W], the background first, of photos that ``box`` frames."""
        zones = maps[:, 1:].float()
        misfit, rolls = self._compared(Middles.of(zones))
        rolled = about_axis("z", rolls)
        every = self.turns.expand(len(maps), -1, -1)
        turns = multiply(rolled, every)
        chances = torch.softmax(-misfit / _TOLERANCE, 1)
        return Found.among(turns, chances, self.anchors, box)

    def _compared(self, photos: Middles) -> tuple[Tensor, Tensor]:
        """How badly photos and the template from all sides fit [B,N], and the turns in the picture
        with which they fit best, degrees [B,N]."""
        ours = photos.areas[:, None]
        theirs = self.areas[None]
        least = torch.minimum(ours, theirs)
        weights = self.weights * least * (least > _SEEN)
        total = weights.sum(2, keepdim=True)
        shares = weights / total.clamp_min(1e-6)
        template = torch.view_as_complex(self.middles)
        distance, angle = _aligned(template[None], photos.places[:, None], shares)
        unlike = (ours.sqrt() - theirs.sqrt()).square()
        unlike = (unlike * self.weights).sum(2)
        rolls = torch.rad2deg(angle)
        return distance + unlike + self._odd(rolls), rolls

    def _odd(self, rolls: Tensor) -> Tensor:
        """What photos that are rolled so far [B,N], or taken from far above or below, cost."""
        elevations = self.sides[:, 1] / _ELEVATION
        odd = (rolls / _ROLL).square() + elevations.square()
        return _UNLIKELY * odd


def _rendered(shape: Tensor, zones: Tensor, turns: Tensor) -> Tensor:
    """What is seen of the zones of a shape from these turns [N,4]: [N,K,S,S]."""
    place = turns.new_tensor([_SCALE, 0, 0])
    places = place.expand(len(turns), 3)
    cameras = torch.cat([places, turns], 1)
    points = project(shape, cameras)
    faces = icosphere().faces.to(turns.device)
    seen = visible(points, faces, _RENDERED)
    table = zones.expand(len(turns), -1, -1)
    return interpolated(seen, faces, table)


def _seen_from(sides: Tensor) -> Tensor:
    """Azimuths and elevations [N,2], degrees → turns [N,4]."""
    azimuth, elevation = sides.unbind(1)
    stand = multiply(about_axis("x", 90.0), about_axis("z", azimuth))
    return multiply(about_axis("x", elevation), stand)


def _aligned(these: Tensor, those: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Points [...,K], complex, laid over others: the share of these' spread that stays between them
    [...], 0..1, and the angle of the turn, radians."""
    one = _about_middle(these, shares)
    other = _about_middle(those, shares)
    cross = _mean(one.conj() * other, shares)
    spread = _mean(one.abs().square(), shares)
    wanted = _mean(other.abs().square(), shares)
    both = spread * wanted
    explained = cross.abs().square()
    explained = explained / both.clamp_min(1e-9)
    return 1 - explained, cross.angle()


def _about_middle(points: Tensor, shares: Tensor) -> Tensor:
    return points - _mean(points, shares)[..., None]


def _mean(values: Tensor, shares: Tensor) -> Tensor:
    """By shares, along the last axis."""
    return (shares * values).sum(-1)
