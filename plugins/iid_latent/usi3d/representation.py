"""How networks see images: in logarithms at half size (default), or display-encoded as they are
(published)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from iid_latent.shared.log_images import from_log, half_size, log_error, to_log
from iid_latent.usi3d.terms import Faults, physical
from intrinsic_cli.kit.light.colour import linear_to_srgb, srgb_to_linear
from intrinsic_cli.kit.networks.losses import masked_mean

_WHITE = 4.0  # times its exposure, a photo is white


class Representation(Protocol):
    """Linear images [B,3,H,W] to what networks see and back, and what is measured on that."""

    def photo(self, image: Tensor) -> Tensor: ...
    def layer(self, image: Tensor) -> Tensor: ...
    def mask(self, mask: Tensor) -> Tensor: ...
    def shrink(self, photo: Tensor) -> Tensor: ...
    def srgb_codes(self, photo: Tensor) -> Tensor: ...
    def to_linear(self, image: Tensor) -> Tensor: ...
    def physical(
        self, photo: Tensor, made: Mapping[str, Tensor], mask: Tensor
    ) -> dict[str, Tensor]: ...
    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor: ...


class LogRepresentation:
    """Log images; layers at half the photo's size."""

    def photo(self, image: Tensor) -> Tensor:
        return to_log(image)

    def layer(self, image: Tensor) -> Tensor:
        return half_size(to_log(image))

    def mask(self, mask: Tensor) -> Tensor:
        return (half_size(mask) > 0.99).to(mask.dtype)

    def shrink(self, photo: Tensor) -> Tensor:
        return half_size(photo)

    def srgb_codes(self, photo: Tensor) -> Tensor:
        """The photo on the sRGB curve, at the size of its layers."""
        return linear_to_srgb((from_log(half_size(photo)) / _WHITE).clamp(0, 1))

    def to_linear(self, image: Tensor) -> Tensor:
        return from_log(image)

    def physical(
        self, photo: Tensor, made: Mapping[str, Tensor], mask: Tensor
    ) -> dict[str, Tensor]:
        """Logarithms add up; the overall level is free."""
        return {"i": log_error(made["ri"] + made["si"], photo, mask, gradient=0.5).mean()}

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return log_error(guess, truth, mask)


class EncodedRepresentation:
    """Values in 0..1 on the sRGB curve, as the published networks were trained; shading is exposed
    to its brightest."""

    def photo(self, image: Tensor) -> Tensor:
        return linear_to_srgb(image.clamp(0, 1))

    def layer(self, image: Tensor) -> Tensor:
        white = image.amax(1).flatten(1).quantile(0.95, dim=1).clamp_min(1)[:, None, None, None]
        return linear_to_srgb((image / white).clamp(0, 1))

    def mask(self, mask: Tensor) -> Tensor:
        return mask

    def shrink(self, photo: Tensor) -> Tensor:
        return photo

    def srgb_codes(self, photo: Tensor) -> Tensor:
        return photo

    def to_linear(self, image: Tensor) -> Tensor:
        return srgb_to_linear(image.clamp(0, 1))

    def physical(
        self, photo: Tensor, made: Mapping[str, Tensor], mask: Tensor
    ) -> dict[str, Tensor]:
        return physical(photo, made, Faults())

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return masked_mean((guess - truth).abs(), mask).mean(1)
