"""How layers make a photo: by multiplying or by adding up; and how each kind is drawn, compared and
shown.

Whatever the kind, the encoder sees log pictures [B,3,H,W] (``shared.pictures``). Drawn layers are
pictures at half the photo's size: log pictures where layers multiply, display values where they add
up."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from iid_latent.shared.pictures import from_log, halve, log_error, to_log
from intrinsic_cli.kit.networks.losses import gradient_loss, masked_mean

_ROOT = 0.6  # of display values, as in kit.tone.encode_photo
_BLACK, _GLARE = 1e-6, 0.999  # display values that still have a finite slope and a finite inverse


class Blend(Protocol):
    """``level`` [B,1,1,1] is the photo's exposure; images are linear, pictures are not."""

    def see(self, image: Tensor, level: Tensor) -> Tensor:
        """Image → log picture for the encoder."""
        ...

    def draw(self, image: Tensor, level: Tensor) -> Tensor:
        """Image [B,C,H,W] → picture [B,C,H/2,W/2]."""
        ...

    def paint(self, raw: Tensor) -> Tensor:
        """What a decoder gives → picture."""
        ...

    def linear(self, picture: Tensor, level: Tensor) -> Tensor:
        """Picture → linear image of the same size."""
        ...

    def mix(self, images: list[Tensor]) -> Tensor:
        """Linear layers → linear photo."""
        ...

    def rebuild(self, pictures: list[Tensor]) -> Tensor:
        """Pictures of the layers → picture of the photo."""
        ...

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """L1 and multi-scale gradients of the error of pictures, per sample [B]."""
        ...

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        """``guess`` without what no photo tells of it."""
        ...

    def tone(self, picture: Tensor) -> Tensor:
        """Picture → display values in 0..1."""
        ...

    def judged(self, picture: Tensor) -> Tensor:
        """A picture as a discriminator sees it."""
        ...


class Product:
    """photo = layer · layer …: logarithms add up. Each layer is relative to its own exposure, which
    no photo tells."""

    def see(self, image: Tensor, level: Tensor) -> Tensor:
        return to_log(image)

    def draw(self, image: Tensor, level: Tensor) -> Tensor:
        return halve(to_log(image))

    def paint(self, raw: Tensor) -> Tensor:
        return raw

    def linear(self, picture: Tensor, level: Tensor) -> Tensor:
        return from_log(picture)

    def mix(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).prod(0)

    def rebuild(self, pictures: list[Tensor]) -> Tensor:
        return torch.stack(pictures).sum(0)

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return log_error(guess, truth, mask)

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return guess - masked_mean(guess - truth, mask).mean(1)[:, None, None, None]

    def tone(self, picture: Tensor) -> Tensor:
        return display(from_log(picture))

    def judged(self, picture: Tensor) -> Tensor:
        return picture - picture.mean((1, 2, 3), keepdim=True)


class Sum:
    """photo = layer + layer …, in linear light. Layers are relative to the photo's exposure and
    never negative."""

    def see(self, image: Tensor, level: Tensor) -> Tensor:
        return to_log(image, level)

    def draw(self, image: Tensor, level: Tensor) -> Tensor:
        return display(halve(image) / level)

    def paint(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def linear(self, picture: Tensor, level: Tensor) -> Tensor:
        return undisplay(picture) * level

    def mix(self, images: list[Tensor]) -> Tensor:
        return torch.stack(images).sum(0)

    def rebuild(self, pictures: list[Tensor]) -> Tensor:
        return display(torch.stack([undisplay(picture) for picture in pictures]).sum(0))

    def error(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        error = guess - truth
        return masked_mean(error.abs(), mask).mean(1) + gradient_loss(error, mask) / error.shape[1]

    def align(self, guess: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
        return guess

    def tone(self, picture: Tensor) -> Tensor:
        return picture

    def judged(self, picture: Tensor) -> Tensor:
        return picture * 4 - 2


def display(light: Tensor) -> Tensor:
    """Linear light relative to an exposure → 0..1: a soft shoulder, and a root that lifts
    shadows."""
    return (light / (light + 1)).clamp_min(_BLACK).pow(_ROOT)


def undisplay(values: Tensor) -> Tensor:
    """The inverse of :func:`display`."""
    share = values.clamp(_BLACK**_ROOT, _GLARE).pow(1 / _ROOT)
    return share / (1 - share)
