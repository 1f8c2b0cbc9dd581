"""Edges that ended up in the wrong layer: shadows in the albedo, paint in the shading. Our own
measures; no published table has them."""

from __future__ import annotations

import torch
from torch import Tensor

#: Steps are taken over the picture's longer side divided by this: an edge a little out of focus is
#: a step, a slow change of light is none.
STEPS_A_SIDE = 64
HARD = 0.5  # least step of log light: a factor of 1.65
FLAT = 0.05  # largest step of log light where a layer counts as flat
FEWEST = 20  # steps of which a share is told
DARK = 1e-4  # log light is that of at least this


def share_of_steps(
    answered: Tensor, stepped: Tensor, flat: Tensor, mask: Tensor | None = None
) -> Tensor:
    """How much of the hard steps of one true layer, where the other is flat, is found in the layer
    ``answered`` for that other one: all [B,1 or 3,H,W] linear, mask [B,1,H,W] → [B], NaN where
    there are fewer than :data:`FEWEST` such steps.

    A step is the difference of log light (mean over the channels) between two masked pixels,
    d = max(1, longer side / :data:`STEPS_A_SIDE`) apart in a row or a column. Those count where
    the true layer ``stepped`` differs by at least :data:`HARD` and ``flat`` by at most
    :data:`FLAT`. The share is the slope of the wrong steps (answered, less those of ``flat``) on
    the true ones, Σ wrong · true / Σ true²: 0 for a perfect layer, 1 where all of it went into the
    wrong one, .5 for the square root of the photo in both layers; below 0 where the answer goes too
    far."""
    known = torch.ones_like(stepped[:, :1]) if mask is None else mask
    distance = max(1, max(stepped.shape[-2:]) // STEPS_A_SIDE)
    totals = torch.zeros(3, len(stepped), dtype=torch.float64, device=stepped.device)
    for axis in (2, 3):
        found = _steps(answered, axis, distance)
        step = _steps(stepped, axis, distance)
        rest = _steps(flat, axis, distance)
        totals += _sums(found, step, rest, _both(known, axis, distance))
    common, energy, count = totals
    share = common / energy.clamp(min=DARK)
    return torch.where(count >= FEWEST, share, torch.nan)


def _sums(found: Tensor, step: Tensor, rest: Tensor, known: Tensor) -> Tensor:
    """Σ wrong · step, Σ step² and their number [3,B], over the hard steps beside which the rest is
    flat; what was found less the rest is wrong."""
    hard = step.abs() >= HARD
    even = rest.abs() <= FLAT
    chosen = known & hard & even
    step = step * chosen
    planes = torch.stack([(found - rest) * step, step.square(), chosen.double()])
    return planes.sum((2, 3, 4))


def _log(layer: Tensor) -> Tensor:
    """[B,C,H,W] → mean of the channels' logarithms, [B,1,H,W]: that of a product is the sum of its
    factors'."""
    return layer.double().clamp(min=DARK).log().mean(1, keepdim=True)


def _steps(layer: Tensor, axis: int, distance: int) -> Tensor:
    """Differences of log light between pixels ``distance`` apart."""
    log = _log(layer)
    length = max(0, log.shape[axis] - distance)
    first = log.narrow(axis, 0, length)
    second = log.narrow(axis, log.shape[axis] - length, length)
    return second - first


def _both(mask: Tensor, axis: int, distance: int) -> Tensor:
    """Where both pixels of a step are known."""
    last = mask.shape[axis]
    length = max(0, last - distance)
    known = mask.bool()
    first = known.narrow(axis, 0, length)
    second = known.narrow(axis, last - length, length)
    return first & second
