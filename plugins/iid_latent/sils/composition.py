"""How layers make a photo: by multiplying or by adding up; and how each kind is drawn, compared and
shown.

Whatever the kind, the encoder sees log images [B,3,H,W] (``shared.log_images``). Layers are
drawn at half the photo's size: as log images where they multiply, as display values where they add
up."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from iid_latent.shared.log_images import from_log, half_size, log_error, to_log
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

_ROOT = 0.6  # of display values, as in kit.light.exposure.encode_photo
_BLACK, _GLARE = 1e-6, 0.999  # display values that still have a finite slope and a finite inverse


class Composition(Protocol):
    """``level`` [B,1,1,1] is the photo's exposure; images are linear, what is drawn is
    not."""

    def encoder_input(self, image: Tensor, level: Tensor) -> Tensor:
        """Image → log image for the encoder."""
        ...

    def target(self, image: Tensor, level: Tensor) -> Tensor:
        """Image [B,C,H,W] → how it should be drawn, [B,C,H/2,W/2]."""
        ...

    def activate(self, raw: Tensor) -> Tensor:
        """What a decoder gives → drawn layer."""
        ...

    def to_linear(self, drawn: Tensor, level: Tensor) -> Tensor:
        """Drawn layer → linear image of the same size."""
        ...

    def compose(self, images: list[Tensor]) -> Tensor:
        """Linear layers → linear photo."""
        ...

    def compose_drawn(self, drawn: list[Tensor]) -> Tensor:
        """Drawn layers → the photo, as it would be drawn."""
        ...

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """L1 and multi-scale gradients of the error of drawn layers, per sample [B]."""
        ...

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """``guess`` without what no photo tells of it."""
        ...

    def to_display(self, drawn: Tensor) -> Tensor:
        """Drawn layer → display values in 0..1."""
        ...

    def discriminator_input(self, drawn: Tensor) -> Tensor:
        """A drawn layer as a discriminator sees it."""
        ...


class Product:
    """photo = layer · layer …: logarithms add up. Each layer is relative to its own exposure, which
    no photo tells."""

    def encoder_input(self, image: Tensor, level: Tensor) -> Tensor:
        return to_log(image)

    def target(self, image: Tensor, level: Tensor) -> Tensor:
        return half_size(to_log(image))

    def activate(self, raw: Tensor) -> Tensor:
        return raw

    def to_linear(self, drawn: Tensor, level: Tensor) -> Tensor:
        return from_log(drawn)

    def compose(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).prod(0)

    def compose_drawn(self, drawn: list[Tensor]) -> Tensor:
        return torch.stack(drawn).sum(0)

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return log_error(guess, truth, mask)

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        offset = masked_mean(guess - truth, mask).mean(1)
        return guess - offset[:, None, None, None]

    def to_display(self, drawn: Tensor) -> Tensor:
        return display(from_log(drawn))

    def discriminator_input(self, drawn: Tensor) -> Tensor:
        return drawn - drawn.mean((1, 2, 3), keepdim=True)


class Sum:
    """photo = layer + layer …, in linear light. Layers are relative to the photo's exposure and
    never negative."""

    def encoder_input(self, image: Tensor, level: Tensor) -> Tensor:
        return to_log(image, level)

    def target(self, image: Tensor, level: Tensor) -> Tensor:
        return display(half_size(image) / level)

    def activate(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def to_linear(self, drawn: Tensor, level: Tensor) -> Tensor:
        return undisplay(drawn) * level

    def compose(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).sum(0)

    def compose_drawn(self, drawn: list[Tensor]) -> Tensor:
        light = torch.stack([undisplay(layer) for layer in drawn])
        return display(light.sum(0))

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        error = guess - truth
        flat = masked_mean(error.abs(), mask).mean(1)
        return flat + gradient_loss(error, mask) / error.shape[1]

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return guess

    def to_display(self, drawn: Tensor) -> Tensor:
        return drawn

    def discriminator_input(self, drawn: Tensor) -> Tensor:
        return drawn * 4 - 2


def display(light: Tensor) -> Tensor:
    """Linear light relative to an exposure → 0..1: a soft shoulder, and a root that opens
    shadows."""
    return (light / (light + 1)).clamp_min(_BLACK).pow(_ROOT)


def undisplay(values: Tensor) -> Tensor:
    """The inverse of :func:`display`."""
    share = values.clamp(_BLACK**_ROOT, _GLARE).pow(1 / _ROOT)
    return share / (1 - share)
