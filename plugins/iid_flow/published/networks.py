"""The four networks of a variant by their name in a weights file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from iid_flow.published.discriminator import Discriminator
from iid_flow.published.encoder import ImageEncoder
from iid_flow.published.unet import UNet
from iid_flow.published.vae import VAE

VARIANTS = ("albedo16", "shading8")

#: Euler steps the authors take.
STEPS = {"albedo16": 2, "shading8": 1}

#: Pixels of the photo to a side of a latent.
DOWN = 8

#: Net name → maker for a variant. Inference needs the first three.
NETS: dict[str, Callable[[str], nn.Module]] = {
    "encoder": ImageEncoder,
    "unet": UNet,
    "vae": VAE,
    "discriminator": lambda variant: Discriminator(1 if variant == "shading8" else 3),
}

Net = TypeVar("Net", bound=nn.Module)


def skeleton(make: Callable[[str], Net], variant: str) -> Net:
    """A network with shapes but no numbers (on the meta device): quick to make, to compare with or
    to fill."""
    with torch.device("meta"):
        return make(variant)
