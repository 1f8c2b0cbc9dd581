"""The light on an object: even light and a lamp far away, fitted to what is seen of it.

Shading is 1 + direction · normal, at least a floor: the first two orders of spherical harmonics of
the light on a matt surface. Paint that happens to follow the normals cannot be told from light, so
the lamp is held small where little speaks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from intrinsic_cli.kit.light.colour import LUMINANCE

#: Shading is no darker, and the lamp no stronger against the even light.
FLOOR, STRONGEST = 0.4, 0.6
_DIMMEST = 0.1  # even light, of what there is in all
#: Pull of the lamp to nothing, in shares of the pixels.
_RIDGE = 0.02


@dataclass(frozen=True, slots=True)
class Light:
    """``direction`` [3] points to the lamp (x right, y up, z to the viewer) and is as long as it is
    strong against the even light; ``gain`` is the brightness of white where shading is 1."""

    direction: Tensor
    gain: float = 1.0

    def shading(self, normals: Tensor) -> Tensor:
        """Unit normals [...,3] → shading [...]."""
        facing = normals @ self.direction.to(normals)
        return self.gain * (1 + facing).clamp_min(FLOOR)


def fit_light(colours: Tensor, normals: Tensor) -> Light:
    """The light that explains best how linear colours [N,3] follow unit normals [N,3]."""
    if len(colours) == 0:
        return Light(torch.zeros(3, device=colours.device))
    brightness = colours @ colours.new_tensor(LUMINANCE)
    mean = brightness.mean().clamp_min(1e-4)
    # What is brighter than thrice the mean is a highlight, or paint.
    relative = (brightness / mean).clamp(max=3)
    even, lamp = _least_squares(relative, normals)
    direction = lamp / max(even, _DIMMEST)
    length = float(direction.norm())
    weaker = min(1.0, STRONGEST / max(length, 1e-9))
    return Light(direction * weaker)


def _least_squares(values: Tensor, normals: Tensor) -> tuple[float, Tensor]:
    """a and b [3] such that a + b · normals [N,3] are nearest to the values [N], b held small."""
    terms = F.pad(normals, (1, 0), value=1.0).double()
    count = len(terms)
    pull = terms.new_tensor([0.0, _RIDGE, _RIDGE, _RIDGE])
    products = terms.T @ terms
    products += torch.diag(pull * count)
    wanted = terms.T @ values.double()
    found = torch.linalg.solve(products, wanted)
    lamp = found[1:].to(normals)
    return float(found[0]), lamp
