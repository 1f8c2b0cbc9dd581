"""Light one can move: another direction, another face's light, more or less of it from
everywhere."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from iid_residual.harmonics import from_house, shade, towards
from intrinsic_cli.api import UsageError

_HINT = "give light=azimuth,elevation in degrees or light=FILE.light.json"
#: Share of light from everywhere where a direction is asked for and nothing else.
AMBIENT = 0.35
#: How much of each order of a lamp's harmonics is kept: all of it would ring.
_SOFT = (1.0, 0.9, 0.6)
_ORDERS = (0, 1, 1, 1, 2, 2, 2, 2, 2)
_FLAT = math.sqrt(math.pi) / 2
_DARK = 0.02  # of the mean shading, the least a relit face has


@dataclass(frozen=True, slots=True)
class Wanted:
    """The light asked for: a ``vector`` [3] to a lamp, or harmonics [27]; ``ambient`` is a share,
    below 0 where nothing was said."""

    vector: Tensor | None
    light: Tensor | None
    ambient: float

    @staticmethod
    def of(text: str, ambient: float) -> Wanted | None:
        """What the options say; None where nothing is asked for. UsageError for what is no
        light."""
        if not text and ambient < 0:
            return None
        if text.endswith(".json"):
            return Wanted(None, read_light(Path(text)), ambient)
        return Wanted(_read_direction(text) if text else None, None, ambient)

    def light_for(self, own: Tensor) -> Tensor:
        """Instead of each face's ``own`` light [B,27]."""
        if self.light is not None:
            light = self.light.to(own).expand(len(own), 27)
        elif self.vector is not None:
            share = self.ambient if self.ambient >= 0 else AMBIENT
            return with_ambient(lamp(own, self.vector), share)
        else:
            light = own
        return with_ambient(light, self.ambient) if self.ambient >= 0 else light


def lamp(own: Tensor, vector: Tensor) -> Tensor:
    """A soft lamp towards ``vector`` [3] with the colours of ``own`` [B,27]."""
    colours = own.view(-1, 3, 9)[..., :1].clamp_min(0)
    shape = _facing(vector.to(own))
    return (colours * shape).reshape(own.shape)


def with_ambient(light: Tensor, share: float) -> Tensor:
    """The same light [B,27] of which a share comes from everywhere."""
    nine = light.view(-1, 3, 9)
    even = torch.zeros_like(nine)
    even[..., 0] = nine[..., 0]
    return (nine + share * (even - nine)).reshape(light.shape)


def relit_shading(normals: Tensor, light: Tensor, like: Tensor, where: Tensor) -> Tensor:
    """Shading of ``normals`` [B,3,h,w] under ``light`` [B,27], as bright as the shading ``like``
    in the mean over ``where`` [B,1,h,w]."""
    made = shade(normals, light)
    wanted = _mean(like, where)
    there = _mean(made.clamp(min=0), where)
    gain = wanted / there.clamp_min(1e-6)
    return torch.maximum(made * gain, _DARK * wanted)


def _mean(x: Tensor, where: Tensor) -> Tensor:
    """[B,C,h,w] → [B,1,1,1], over the pixels inside."""
    axes = (1, 2, 3)
    weight = where.sum(axes, keepdim=True) * x.shape[1]
    total = (x * where).sum(axes, keepdim=True)
    return total / weight.clamp_min(1)


def read_light(path: Path) -> Tensor:
    """The light [27] of the first face of a ``.light.json``. UsageError where it holds none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not readable: {error}", _HINT) from error
    faces = record.get("faces", [record]) if isinstance(record, dict) else []
    numbers = faces[0].get("sh") if faces else None
    if not isinstance(numbers, list) or len(numbers) != 27:
        raise UsageError(f"{path} holds no light of a face", _HINT)
    return from_house(torch.tensor([numbers], dtype=torch.float32))[0]


def _read_direction(text: str) -> Tensor:
    try:
        azimuth, elevation = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"light={text} is no light", _HINT) from None
    return towards(azimuth, elevation)


def _facing(vector: Tensor) -> Tensor:
    """Nine coefficients of a soft lamp, the first one 1: those of a flash from ``vector``, per unit
    of what it gives everywhere."""
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
