"""The colours of light, read off the photo where the brightness of light changes.

A network tells light from paint by brightness far better than by colour: of shadows that only a
blue sky sees, `flow` took 60 % of the brightness out of the albedo and 7 % of the blue. But where
light changes, all of it changes. So the share of the photo's contrast that the shading has in
brightness (the local slope by which layers are upsampled, too) is given to its warmth: its gradient
is that share of the gradient of the photo's, as far as light has such colours, or the network's
where that is larger, and it stays near what the network drew. Both together make a screened Poisson
equation (Bhat, Curless, Cohen and Zitnick, "Fourier Analysis of the 2D Screened Poisson Equation
for Gradient Domain Problems", ECCV 2008).

Light is warm or cold, and hardly ever green or magenta: where a wall of bricks or a lawn fills the
photo, a network takes some of their colour for light's. That tint is limited."""

from __future__ import annotations

import torch
from torch import Tensor

from intrinsic_cli.kit.light.poisson import divergence, solve_evenly
from intrinsic_cli.kit.light.upsample import FLOOR, RADIUS, RIDGE, local_slope

#: How strongly colours are drawn to those of the network: edges reach 1 / √PULL = 32 pixels.
PULL = 0.001
#: What a step to the warm side does to log red, green, blue: along the line of black bodies, on
#: which nearly all light lies; of length 1 and without brightness (``BLACK_BODY`` of the training
#: photos' camera, less its mean).
WARMER = (0.659, 0.088, -0.747)
#: What is neither brightness nor warmth, of length 1: from magenta to green.
GREENER = (-0.482, 0.812, -0.330)
#: As far along :data:`GREENER` the light of a whole photo lies at most: chosen by eye, on
#: photographs of plants and bricks.
MOST_TINT = 0.1
#: An edge whose colour changes by more than these parts of its brightness is paint: off the line of
#: black bodies, and along it.
OFF, ALONG = 0.3, 0.75
_DARK = 2e-3  # added to light before the logarithm: colours of the dark are noise
_LEAST = 0.02  # of log light: less is noise


def recolour(shading: Tensor, photo: Tensor) -> Tensor:
    """``shading`` [B,3,h,w] linear, as warm or cold as ``photo`` [B,3,h,w] says it is; its
    brightness (the mean of its logarithms) stays, and what it has of other colours, up to
    :data:`MOST_TINT`."""
    log_shading = shading.clamp(min=FLOOR).log()
    log_photo = (photo + _DARK).log()
    brightness = log_photo.mean(1, keepdim=True)
    level = log_shading.mean(1, keepdim=True)
    share = local_slope(brightness, level, RADIUS, RIDGE)
    drawn = _warmth(log_shading)
    steps = []
    for dim in (-2, -1):
        seen = _smaller(share, dim) * _of_light(log_photo.diff(dim=dim))
        steps.append(_larger(seen, drawn.diff(dim=dim)))
    edges = divergence((steps[0], steps[1]))
    warmth = solve_evenly(edges + PULL * drawn, PULL)
    warmer = shading.new_tensor(WARMER).view(1, 3, 1, 1)
    recoloured = log_shading + (warmth - drawn) * warmer
    return _less_tinted(recoloured.exp())


def _less_tinted(shading: Tensor) -> Tensor:
    """[B,3,h,w] linear, with a tint of at most :data:`MOST_TINT` in its mean colour."""
    mean = shading.mean((2, 3), keepdim=True).clamp(min=FLOOR)
    tint = _along(GREENER, mean.log())
    excess = tint - tint.clamp(-MOST_TINT, MOST_TINT)
    greener = shading.new_tensor(GREENER).view(1, 3, 1, 1)
    return shading * (-excess * greener).exp()


def _warmth(log_light: Tensor) -> Tensor:
    """How far log light [B,3,h,w] lies along :data:`WARMER`, [B,1,h,w]."""
    return _along(WARMER, log_light)


def _along(direction: tuple[float, float, float], log_light: Tensor) -> Tensor:
    """[B,1,h,w]: the part of log light [B,3,h,w] that points in a direction of length 1."""
    axis = log_light.new_tensor(direction).view(1, 3, 1, 1)
    products = log_light * axis
    return products.sum(1, keepdim=True)


def _larger(one: Tensor, other: Tensor) -> Tensor:
    """Of each two steps, whichever their signs."""
    return torch.where(one.abs() > other.abs(), one, other)


def _smaller(share: Tensor, dim: int) -> Tensor:
    """Of each two neighbours along ``dim``."""
    last = share.shape[dim] - 1
    first = share.narrow(dim, 0, last)
    second = share.narrow(dim, 1, last)
    return torch.minimum(first, second)


def _of_light(step: Tensor) -> Tensor:
    """The warmth [B,1,h,w] of steps of log light [B,3,h,w] as far as it may be that of light."""
    brightness = step.mean(1, keepdim=True)
    warmer = step.new_tensor(WARMER).view(1, 3, 1, 1)
    along = _warmth(step)
    rest = step - brightness - along * warmer
    off = rest.norm(dim=1, keepdim=True)
    size = brightness.abs() + _LEAST
    doubt_off = (off / (OFF * size)).square()
    doubt_along = (along / (ALONG * size)).pow(4)
    believed: Tensor = along / (1 + doubt_off + doubt_along)
    return believed
