"""Light one can move: another direction, another face's light, more or less of it from
everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from iid_residual.harmonics import in_plane, rotated, shade, towards, unit
from iid_residual.lights import HINT, read_light
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import UsageError

#: Share of light from everywhere where a direction is asked for and nothing else.
AMBIENT = 0.2
#: How much of each order of a lamp's harmonics is kept: all of it would ring.
_SOFT = (1.0, 1.0, 0.9)
_ORDERS = (0, 1, 1, 1, 2, 2, 2, 2, 2)
_BETWEEN = ".."
#: A normal towards the camera.
_FACING = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
_PALEST = 0.1  # the least of a lamp's colours, of the brightest
_TINY = 1e-6
#: Where a turning light begins if nobody says: it then passes over, left of, below the face.
_ASIDE = "60,0"


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp with the colours of a face's own light, towards ``vector`` [3]."""

    vector: Tensor

    def instead_of(self, own: Tensor) -> Tensor:
        """The lamp's harmonics [27] where the light ``own`` [27] was."""
        return lamp(own[None], self.vector)[0]


@dataclass(frozen=True, slots=True)
class Given:
    """The ``light`` [27] of another face."""

    light: Tensor

    def instead_of(self, own: Tensor) -> Tensor:
        """Itself."""
        return self.light.to(own)


@dataclass(frozen=True, slots=True)
class Own:
    """The light a face has."""

    def instead_of(self, own: Tensor) -> Tensor:
        """As it is."""
        return own


Source = Lamp | Given | Own


@dataclass(frozen=True, slots=True)
class Wanted:
    """The light asked for: from ``start`` to ``end``; ``ambient`` is a share, below 0 where nothing
    was said."""

    start: Source
    end: Source
    ambient: float

    @staticmethod
    def of(options: ResidualOptions) -> Wanted | None:
        """What the options say; None where nothing is asked for. UsageError for what is no
        light."""
        if options.steps and not options.light:
            raise UsageError("steps needs a light to go to", HINT)
        text = options.light or (_ASIDE if options.turn else "")
        if not text and options.ambient < 0:
            return None
        start, end = _read_both(text)
        return Wanted(start, end, options.ambient)

    def light_for(self, own: Tensor, way: float = 1.0) -> Tensor:
        """Instead of a face's ``own`` light [27]: ``way`` 0 is the start and 1 the end."""
        source = _on_the_way(self.start, self.end, own, way)
        light = source.instead_of(own)
        share = self.ambient
        if share < 0:
            share = AMBIENT if isinstance(source, Lamp) else 0.0
        return with_ambient(light[None], share)[0]

    def turning(self, own: Tensor, count: int) -> Iterator[Tensor]:
        """``count`` lights [27] that go once round the line from the camera to the face,
        counter-clockwise as the camera sees it, beginning with the end."""
        light = self.light_for(own)
        for number in range(count):
            turn = in_plane(360 * number / count)
            yield rotated(light[None], turn)[0]

    def passing(self, own: Tensor, count: int) -> Iterator[Tensor]:
        """``count`` lights [27] from the start to the end."""
        for number in range(count):
            yield self.light_for(own, number / max(1, count - 1))


def lamp(own: Tensor, vector: Tensor) -> Tensor:
    """A lamp towards ``vector`` [3] as strong as ``own`` [B,27] and with its colour, as skin that
    faces the camera shows it."""
    even = own.view(-1, 3, 9)[..., :1].clamp_min(0)
    strength = even.mean(1, keepdim=True)
    shape = _facing(vector.to(own))
    lit = strength * _colour(own) * shape
    return lit.reshape(own.shape)


def _colour(own: Tensor) -> Tensor:
    """The colour [B,3,1], 1 in the mean, that light ``own`` [B,27] has on skin that faces the
    camera."""
    normals = _FACING.to(own).expand(len(own), 3, 1, 1)
    colour = shade(normals, own)[..., 0]
    least = _PALEST * colour.amax(1, keepdim=True)
    colour = torch.maximum(colour, least).clamp_min(_TINY)
    return colour / colour.mean(1, keepdim=True)


def with_ambient(light: Tensor, share: float) -> Tensor:
    """The same light [B,27] of which a share comes from everywhere."""
    nine = light.view(-1, 3, 9)
    even = torch.zeros_like(nine)
    even[..., 0] = nine[..., 0]
    return (nine + share * (even - nine)).reshape(light.shape)


def _on_the_way(start: Source, end: Source, own: Tensor, way: float) -> Source:
    """Between two lamps a lamp, between other lights their mixture."""
    if way >= 1:
        return end
    if isinstance(start, Lamp) and isinstance(end, Lamp):
        middle = torch.lerp(start.vector, end.vector, way)
        return Lamp(unit(middle[None])[0])
    return Given(torch.lerp(start.instead_of(own), end.instead_of(own), way))


def _read_both(text: str) -> tuple[Source, Source]:
    """``A..B``, or ``B`` alone, which starts with a face's own light."""
    if not text:
        return Own(), Own()
    cuts = [place for place in range(len(text)) if text.startswith(_BETWEEN, place)]
    for place in cuts:
        # Paths may begin with two dots, too.
        first, last = text[:place], text[place + len(_BETWEEN) :]
        if _names_light(first) and _names_light(last):
            return _read(first), _read(last)
    return Own(), _read(text)


def _names_light(text: str) -> bool:
    return text.endswith(".json") or _angles(text) is not None


def _read(text: str) -> Source:
    if text.endswith(".json"):
        return Given(read_light(Path(text)))
    angles = _angles(text)
    if angles is None:
        raise UsageError(f"light={text} is no light", HINT)
    return Lamp(towards(*angles))


def _angles(text: str) -> tuple[float, float] | None:
    try:
        azimuth, elevation = (float(part) for part in text.split(","))
    except ValueError:
        return None
    if not math.isfinite(azimuth + elevation):
        return None
    return azimuth, elevation


def _facing(vector: Tensor) -> Tensor:
    """Nine coefficients of a lamp, the first one 1: those of a flash from ``vector``, per unit of
    what it gives everywhere."""
    x, y, z = vector.tolist()
    root3, root5, root15 = math.sqrt(3), math.sqrt(5), math.sqrt(15)
    flash = (
        1.0,
        root3 * z,
        root3 * x,
        root3 * y,
        root5 / 2 * (2 * z * z - x * x - y * y),
        root15 * x * z,
        root15 * y * z,
        root15 / 2 * (x * x - y * y),
        root15 * x * y,
    )
    soft = [_SOFT[order] * value for order, value in zip(_ORDERS, flash, strict=True)]
    return torch.tensor(soft, dtype=vector.dtype)
