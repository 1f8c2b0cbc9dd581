"""The four networks of a variant by their name in a weights file."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from iid_flow.published.discriminator import Discriminator
from iid_flow.published.encoder import ImageEncoder
from iid_flow.published.unet import UNet
from iid_flow.published.vae import VAE

#: Net name → maker for a variant. Inference needs the first three.
NETS: dict[str, Callable[[str], nn.Module]] = {
    "encoder": ImageEncoder,
    "unet": UNet,
    "vae": VAE,
    "discriminator": lambda variant: Discriminator(1 if variant == "shading8" else 3),
}
