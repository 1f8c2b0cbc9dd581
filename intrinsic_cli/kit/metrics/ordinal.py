"""WHDR, the weighted human disagreement rate of Bell et al. 2014 (IIW)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from intrinsic_cli.kit.light.colour import linear_to_srgb

EQUAL, FIRST, SECOND = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Judgements:
    """What people said of one photo: N pairs of points.

    ``points`` [N,2,2] as (pair member, (x, y)) in 0..1 of width and height; ``darker`` [N]: 0 about
    equal, 1 the first is darker, 2 the second; ``weights`` [N] > 0, how sure they were."""

    points: Tensor
    darker: Tensor
    weights: Tensor

    def __len__(self) -> int:
        return len(self.darker)


def whdr(
    albedo: Tensor, judgements: Judgements, delta: float = 0.10, encoded: bool = False
) -> Tensor:
    """Albedo ``[C,H,W]`` linear → share (by weight) of the judgements it contradicts, a scalar; 0
    without any.

    The first is darker where ``l2/l1 > 1 + delta``, with l the channel mean at the pixel, at least
    1e-10. ``encoded`` compares sRGB codes instead of light, as some published numbers do (δ .10
    there is about .23 of light)."""
    values = linear_to_srgb(albedo) if encoded else albedo
    level = values.double().mean(0).clamp(min=1e-10)
    first, second = _at(level, judgements.points.to(albedo.device)).unbind(1)
    decided = torch.full_like(first, EQUAL, dtype=torch.long)
    decided[second / first > 1 + delta] = FIRST
    decided[first / second > 1 + delta] = SECOND
    weights = judgements.weights.to(albedo.device).double()
    wrong = decided != judgements.darker.to(albedo.device)
    return (weights * wrong).sum() / weights.sum().clamp(min=1e-300)


def _at(plane: Tensor, points: Tensor) -> Tensor:
    """The pixels of a plane [H,W] that points [N,2,2] (x, y in 0..1) lie on, [N,2]."""
    height, width = plane.shape
    x, y = points.unbind(-1)
    columns = (x * width).long()
    rows = (y * height).long()
    return plane[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
