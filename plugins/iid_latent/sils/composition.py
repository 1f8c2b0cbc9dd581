"""How layers make a photo: by multiplying or by adding up; and how each kind is drawn, compared and
shown.

Whatever the kind, the encoder sees log pictures [B,3,H,W] (``shared.log_images``). Drawn layers are
pictures at half the photo's size: log pictures where layers multiply, display values where they add
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
    """``level`` [B,1,1,1] is the photo's exposure; images are linear, pictures are not."""

    def encoder_input(self, image: Tensor, level: Tensor) -> Tensor:
        """Image → log picture for the encoder."""
        ...

    def target(self, image: Tensor, level: Tensor) -> Tensor:
        """Image [B,C,H,W] → picture [B,C,H/2,W/2]."""
        ...

    def activate(self, raw: Tensor) -> Tensor:
        """What a decoder gives → picture."""
        ...

    def to_linear(self, picture: Tensor, level: Tensor) -> Tensor:
        """Picture → linear image of the same size."""
        ...

    def compose(self, images: list[Tensor]) -> Tensor:
        """Linear layers → linear photo."""
        ...

    def compose_pictures(self, pictures: list[Tensor]) -> Tensor:
        """Pictures of the layers → picture of the photo."""
        ...

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """L1 and multi-scale gradients of the error of pictures, per sample [B]."""
        ...

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """``guess`` without what no photo tells of it."""
        ...

    def to_display(self, picture: Tensor) -> Tensor:
        """Picture → display values in 0..1."""
        ...

    def discriminator_input(self, picture: Tensor) -> Tensor:
        """A picture as a discriminator sees it."""
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

    def to_linear(self, picture: Tensor, level: Tensor) -> Tensor:
        return from_log(picture)

    def compose(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).prod(0)

    def compose_pictures(self, pictures: list[Tensor]) -> Tensor:
        return torch.stack(pictures).sum(0)

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return log_error(guess, truth, mask)

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        offset = masked_mean(guess - truth, mask).mean(1)
        return guess - offset[:, None, None, None]

    def to_display(self, picture: Tensor) -> Tensor:
        return display(from_log(picture))

    def discriminator_input(self, picture: Tensor) -> Tensor:
        return picture - picture.mean((1, 2, 3), keepdim=True)


class Sum:
    """photo = layer + layer …, in linear light. Layers are relative to the photo's exposure and
    never negative."""

    def encoder_input(self, image: Tensor, level: Tensor) -> Tensor:
        return to_log(image, level)

    def target(self, image: Tensor, level: Tensor) -> Tensor:
        return display(half_size(image) / level)

    def activate(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def to_linear(self, picture: Tensor, level: Tensor) -> Tensor:
        return undisplay(picture) * level

    def compose(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).sum(0)

    def compose_pictures(self, pictures: list[Tensor]) -> Tensor:
        return display(torch.stack([undisplay(picture) for picture in pictures]).sum(0))

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        error = guess - truth
        flat = masked_mean(error.abs(), mask).mean(1)
        return flat + gradient_loss(error, mask) / error.shape[1]

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return guess

    def to_display(self, picture: Tensor) -> Tensor:
        return picture

    def discriminator_input(self, picture: Tensor) -> Tensor:
        return picture * 4 - 2


def display(light: Tensor) -> Tensor:
    """Linear light relative to an exposure → 0..1: a soft shoulder, and a root that opens
    shadows."""
    return (light / (light + 1)).clamp_min(_BLACK).pow(_ROOT)


def undisplay(values: Tensor) -> Tensor:
    """The inverse of :func:`display`."""
    share = values.clamp(_BLACK**_ROOT, _GLARE).pow(1 / _ROOT)
    return share / (1 - share)
