"""The numbers a network works with, and those of the house.

Ours see photos whose exposure is taken out and draw linear light in units of it; imported ones see
sRGB numbers and draw such numbers, as if they were linear.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from intrinsic_cli.kit.light.colour import linear_to_srgb, srgb_to_linear
from intrinsic_cli.kit.light.exposure import encode_photo, exposure

#: The mean of a lit photo in a network's numbers; light on faces is then about 1.
MEAN = 0.35
#: Added before the root, so that its slope stays finite in the dark.
_DARK = 0.01
#: Of the encoded photo's 0..1, what is still told apart.
_SHOULDER = 0.99


@dataclass(frozen=True, slots=True)
class Domain:
    """How one batch of photos is seen. ``level`` [B,1,1,1] is what light is divided by."""

    level: Tensor
    srgb: bool = False

    @staticmethod
    def of(photo: Tensor, srgb: bool = False) -> Domain:
        """For linear photos [B,3,H,W]."""
        level = exposure(photo) / MEAN
        return Domain(level * 0 + 1 if srgb else level, srgb)

    def seen(self, photo: Tensor) -> Tensor:
        """What the network is given."""
        if self.srgb:
            return linear_to_srgb(photo)
        return encode_photo(photo, self.level * MEAN)

    def drawn(self, light: Tensor) -> Tensor:
        """Linear light [B,3,h,w] of the house (photo, shading) in the network's numbers."""
        return linear_to_srgb(light) if self.srgb else light / self.level

    def reflected(self, albedo: Tensor) -> Tensor:
        """Reflectance of the house in the network's numbers."""
        return linear_to_srgb(albedo) if self.srgb else albedo

    def lit(self, light: Tensor) -> Tensor:
        """Harmonics [B,27] of linear light in the network's numbers, where they mean the same."""
        own: Tensor = light / self.level.flatten(1)
        return own

    def shading(self, drawn: Tensor) -> Tensor:
        """A network's shading → linear light of the house."""
        if self.srgb:
            return srgb_to_linear(drawn.clamp(min=0))
        light: Tensor = drawn * self.level
        return light

    def albedo(self, drawn: Tensor) -> Tensor:
        """A network's albedo → reflectance."""
        return srgb_to_linear(drawn.clamp(0, 1)) if self.srgb else drawn

    def harmonics(self, light: Tensor) -> Tensor:
        """A network's light [B,27] → that of linear light (of sRGB numbers, they stay)."""
        house: Tensor = light * self.level.flatten(1)
        return house


def received(seen: Tensor) -> Tensor:
    """What a network of ours is given → linear light in its numbers, the inverse of
    ``Domain.seen``."""
    share = ((seen + 1) / 2).clamp(0, _SHOULDER).pow(1 / 0.6)
    return MEAN * share / (1 - share)


def compared(x: Tensor) -> Tensor:
    """Linear numbers as eyes compare them: a root, which goes on below 0."""
    compressed: Tensor = x.sign() * ((x.abs() + _DARK).sqrt() - _DARK**0.5)
    return compressed
