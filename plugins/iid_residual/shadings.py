"""A network's shading, made fit to divide a photo by."""

from __future__ import annotations

import torch
from torch import Tensor

from iid_residual.domain import Domain
from iid_residual.networks.pipe import Prediction
from intrinsic_cli.kit.light.colour import luminance
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.light.upsample import size_of

#: Shading is at least so much of its mean: below, an albedo would be noise.
_DARKEST = 0.04
_LEAST = 1e-4
_WHITE = 0.995  # share of a head's pixels whose albedo must not exceed 1
#: How much of the shading's logarithm is the network's own; the rest is photo over its albedo. On
#: rendered heads that albedo is the truer of the two (best: 1/4); of real people it knows less, and
#: would leave the lights of their hair to the shading.
_OWN = 0.4
_DARKEST_PAINT = 0.02
#: The share of a light's colour that is kept, as a logarithm. A network that has seen one kind of
#: skin takes what another kind lacks of its colour for the light's, while cameras and people see
#: to it that faces stand in white.
_TINT = 0.5


def bounded_shadings(
    made: Prediction, domain: Domain, small: Tensor, outline: Tensor
) -> tuple[Tensor, Tensor]:
    """All of the shading and the harmonics' part of it [B,3,h,w], linear, above 0, and so bright
    that almost no albedo within the ``outline`` [B,1,H,W] reflects more than it receives."""
    shading = domain.shading(made.shading)
    least = _least(shading)
    shading = torch.maximum(shading, least)
    size = size_of(shading)
    photo = resize(small, size)
    if made.residual is not None and not domain.srgb:
        paint = domain.albedo(made.albedo).clamp(_DARKEST_PAINT, 1)
        told = torch.maximum(photo / paint, least)
        shading = _between(shading, told)
    harmonic = shading
    if made.harmonic is not None:
        harmonic = torch.maximum(domain.shading(made.harmonic), least)
    inside = _inside(outline, size)
    if not domain.srgb:
        shading, harmonic = _in_one_light(shading, harmonic, inside)
    excess = _excess(photo / shading, inside)
    return shading * excess, harmonic * excess


def _least(shading: Tensor) -> Tensor:
    """What a shading [B,3,h,w] is never taken for less than, [B,1,1,1]."""
    mean = shading.mean((1, 2, 3), keepdim=True)
    return (_DARKEST * mean).clamp_min(_LEAST)


def _inside(outline: Tensor, size: tuple[int, int]) -> Tensor:
    """Where a head is rather than not, at ``size``."""
    return resize(outline, size) > 0.5


def _in_one_light(shading: Tensor, harmonic: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """All of the shading in one colour, that of its mean and nearer to white, and the harmonics'
    part of it with that mean colour."""
    tint = _colour(shading, inside) ** _TINT
    single = luminance(shading, axis=1) * tint
    gain = tint / _colour(harmonic, inside)
    return single, harmonic * gain


def _between(shading: Tensor, told: Tensor) -> Tensor:
    """The network's own shading and what its albedo tells of it, both above 0, as one."""
    logarithm = torch.lerp(told.log(), shading.log(), _OWN)
    return logarithm.exp()


def _colour(shading: Tensor, inside: Tensor) -> Tensor:
    """The colour of the light on a head, [B,3,1,1] of luminance 1: that of the shading's mean
    ``inside`` [B,1,h,w], or everywhere where that is nowhere."""
    anywhere = inside.any(dim=(2, 3), keepdim=True)
    share = torch.where(anywhere, inside, True).to(shading)
    mean = (shading * share).sum((2, 3), keepdim=True)
    return mean / luminance(mean, axis=1)


def drawn_faces(made: Prediction, domain: Domain) -> dict[str, Tensor]:
    """The face as the network itself draws it: with all of its shading, and with that of the
    harmonics alone."""
    drawn = {"rebuilt": domain.shading(made.rebuilt).clamp_min(0)}
    if made.harmonic is not None:
        product = made.albedo * made.harmonic
        drawn["rebuilt_by_harmonics"] = domain.shading(product).clamp_min(0)
    return drawn


def _excess(albedo: Tensor, inside: Tensor) -> Tensor:
    """How far the brightest of an albedo [B,3,h,w] is above white, at least 1: [B,1,1,1]."""
    brightest = albedo.amax(1, keepdim=True).where(inside, torch.nan)
    level = brightest.flatten(1).nanquantile(_WHITE, dim=1)
    return level.nan_to_num(1.0).clamp_min(1).view(-1, 1, 1, 1)
