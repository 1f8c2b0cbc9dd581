"""Albedo where a photo is nearly black: what cannot be known is not coloured.

There albedo = photo / shading divides noise by little, and blotches of strong colour come out. Two
things are done about it, both ruled by the noise of the photo near black. Shading does not fall
below some multiples of it. And the colour of a dark pixel's albedo is drawn towards that of its
neighbourhood, the more the nearer its light comes to the noise: a mean over places of like albedo,
weighted by how far each can be trusted, and gray where none can. The brightness of the albedo
stays, and shading takes up the rest, so that their product is still the photo: what a photo says of
its dark colours must show in one of the two, and it is left in the darker one. It needs shading in
three channels: gray shading could not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.kit.light.colour import luminance
from intrinsic_cli.kit.light.resize import bands, resize, resize_width
from intrinsic_cli.kit.light.upsample import size_of, upsample_rows

#: Shading stays above this many times the noise.
FLOORS = 10.0
#: How much the colours of neighbouring paint differ, as part of their brightness: where the noise
#: is as large a part, pixel and neighbourhood are believed alike.
SPREAD = 0.3
#: Light beyond this many times noise / SPREAD is believed wholly.
BRIGHT = 5.0
#: Short side of the copy in which neighbourhoods are looked for, and how far they reach there: each
#: pass takes in the pixels that many away.
SIDE, REACH = 128, (1, 2, 4, 8)
#: Difference of log albedo at which neighbours count a third: other paint has other colours.
ALIKE = 0.7
#: The trust in gray: it wins where hardly a neighbour can be trusted.
_GRAY = 0.02
#: How many times brighter than its shading an albedo is where its colours begin to be mended, and
#: where they wholly are. Of the darkest twentieth of 27 photos, night skies and black steel among
#: them, 35.9 % has an albedo of visible colour (channels .15 apart in sRGB) and 1.3 % such a
#: shading, mended from 1.5 on; from 1 on 35.8 and 1.4 %, and a night sky's shading has thirty times
#: the teal. From 1.8 on a third less of another photo's shading has, and of that sky's nothing;
#: their albedos have up to 1 % more.
DARKER, BRIGHTER = 1.8, 4.0
_DARK = 0.01  # added to albedo before the logarithm
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class DarkColours:
    """``colours`` [1,3,h,w] of luminance 1 that dark pixels are drawn to, and the photo's
    ``noise``."""

    colours: Tensor
    noise: float

    def widened(self, width: int) -> DarkColours:
        """The same, as wide as the photo already: the bands need not do it again and again."""
        return DarkColours(resize_width(self.colours, width), self.noise)

    def mend(
        self,
        shown: Tensor,
        albedo: Tensor,
        shading: Tensor,
        rows: slice,
        size: tuple[int, int],
    ) -> None:
        """Draw the colours of the dark pixels of ``albedo`` [1,3,n,W] towards those of their
        neighbourhood and give ``shading`` [1,3,n,W] the rest, both in place: ``rows`` of layers of
        ``size``, whose product is ``shown``."""
        light = luminance(shown, axis=1)
        if float(light.min()) >= BRIGHT * self.noise / SPREAD:
            return
        brightness = luminance(albedo, axis=1)
        conspicuous = _conspicuous(brightness, luminance(shading, axis=1))
        if not bool(conspicuous.any()):
            return
        trust = _trust(light, self.noise).mul_(1 + BRIGHT**-2)
        doubt = conspicuous.mul_(1 - trust.clamp_(max=1.0))
        wanted = upsample_rows(self.colours, rows, size).mul_(brightness)
        albedo.lerp_(wanted, doubt)
        # What the albedo leaves of the photo: where it is bright, and of black on black, the
        # shading that was there.
        shown = torch.add(shown, shading, alpha=_TINY)
        torch.div(shown, torch.add(albedo, _TINY, out=wanted), out=shading)


def floored(shading: Tensor, noise: float) -> Tensor:
    """Shading [B,C,h,w] that nowhere divides by less than the photo's noise allows."""
    return shading.clamp(min=FLOORS * noise)


def dark_colours(small: Tensor, shading: Tensor, noise: float) -> DarkColours | None:
    """From a small photo [1,3,h,w] and its shading [1,C,h',w'], at any sizes. None where nothing is
    dark, or shading is gray."""
    if not noise or shading.shape[1] != small.shape[1]:
        return None
    size = _reduced(size_of(small))
    photo = resize(small, size)
    trust = _trust(luminance(photo, axis=1), noise)
    if float(trust.min()) * (1 + BRIGHT**-2) >= 1:
        return None
    albedo = photo / resize(shading, size).clamp(min=_TINY)
    return DarkColours(_neighbourhood(albedo, trust), noise)


def mend_dark(shown: Tensor, albedo: Tensor, shading: Tensor, dark: DarkColours) -> None:
    """:meth:`DarkColours.mend` of whole layers [1,3,H,W], in bands."""
    size = size_of(shown)
    wide = dark.widened(size[1])
    for rows in bands(*size):
        part = shown[:, :, rows]
        wide.mend(part, albedo[:, :, rows], shading[:, :, rows], rows, size)


def _trust(light: Tensor, noise: float) -> Tensor:
    """How much of a pixel's own colour is believed, 0 to 1: the variance of paint over that of
    paint and noise (Wiener)."""
    # Not the square of light over a sum: that of the brightest floats is infinite.
    doubt = (noise / SPREAD) / light.clamp(min=_TINY)
    return doubt.square_().add_(1).reciprocal_()


def _conspicuous(albedo: Tensor, shading: Tensor) -> Tensor:
    """How far colours would show in the albedo rather than in the shading, 0 to 1, by the
    brightness of both."""
    ratio = albedo / shading.clamp(min=_TINY)
    return ((ratio - DARKER) / (BRIGHTER - DARKER)).clamp_(0.0, 1.0)


def _neighbourhood(albedo: Tensor, trust: Tensor) -> Tensor:
    """The colours [1,3,h,w] of the trusted neighbours of like albedo, with luminance 1.

    Means over 3×3 pixels that lie further and further apart (the à-trous scheme), so that few of
    them reach far."""
    level = luminance(albedo, axis=1)
    key = (level + _DARK).log()
    colours = albedo / level.clamp(min=_TINY)
    total, weight = colours * trust, trust
    for reach in REACH:
        sum_of, weight_of = torch.zeros_like(total), torch.zeros_like(weight)
        layers = torch.cat([key, weight, total], dim=1)
        for near in _neighbours(layers, reach):
            alike = ((near[:, :1] - key) / ALIKE).square().neg().exp()
            weight_of += alike * near[:, 1:2]
            sum_of += alike * near[:, 2:]
        total, weight = sum_of / 9, weight_of / 9
    mixed = (total + _GRAY) / (weight + _GRAY)
    return mixed / luminance(mixed, axis=1)


def _neighbours(layers: Tensor, reach: int) -> Iterator[Tensor]:
    """The pixel itself and the eight around it at a distance, each as a picture [1,C,h,w]."""
    height, width = size_of(layers)
    padded = functional.pad(layers, (reach,) * 4, value=0.0)
    steps = (0, reach, 2 * reach)
    for top in steps:
        lines = padded[:, :, top : top + height]
        for left in steps:
            yield lines[..., left : left + width]


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    """A size with the short side of at most :data:`SIDE`."""
    scale = min(1.0, SIDE / min(size))
    height, width = size
    return max(1, round(height * scale)), max(1, round(width * scale))
