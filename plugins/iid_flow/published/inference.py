"""The published networks at work: photos in, albedo and shading out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from iid_flow.published.encoder import ImageEncoder
from iid_flow.published.networks import DOWN, STEPS, Net, skeleton
from iid_flow.published.unet import UNet
from iid_flow.published.vae import VAE
from iid_flow.settings import PublishedOptions
from iid_flow.solver import euler
from intrinsic_cli.api import Decomposer, Frame, Runtime
from intrinsic_cli.kit.data.hypersim.recipe import brightness, shading_from_albedo
from intrinsic_cli.kit.networks.checkpoint import open_nets
from intrinsic_cli.kit.networks.device import autocast

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: Shading darker than this is not divided by.
EPSILON = 1e-4


def decomposer(
    variant: str, state: NetState, options: PublishedOptions, runtime: Runtime
) -> PublishedDecomposer:
    """``variant`` with the weights of ``state``: nets encoder, unet and vae, or vae alone in mode
    ``vae``. WeightsError where one is missing, as after importing only some of a paper's files."""
    vae = _load(VAE, "vae", variant, state, runtime)
    if options.mode == "vae":
        return PublishedDecomposer(variant, partial(_rebuild, vae), runtime)
    encoder = _load(ImageEncoder, "encoder", variant, state, runtime)
    unet = _load(UNet, "unet", variant, state, runtime)
    flow = partial(_follow, encoder, unet, vae, options.steps or STEPS[variant], runtime.seed)
    return PublishedDecomposer(variant, flow, runtime)


class PublishedDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. The networks see the photo at a short side of 256
    pixels (they were trained at 256 x 256), its aspect ratio kept; the house brings the shading to
    full size.

    ``albedo16`` decodes albedo and fits a gray shading to it; ``shading8`` decodes a gray shading
    and divides by it. Mode ``vae`` runs the autoencoder alone: it encodes the photo (its
    brightness, for ``shading8``) and what comes back stands for the decoded layer. That is no
    decomposition; it shows what the latents can keep."""

    def __init__(self, variant: str, layer: Callable[[Tensor], Tensor], runtime: Runtime) -> None:
        """``layer`` makes the decoded layer out of photos, both in [-1,1]."""
        self.frame = Frame(size=256, multiple=16)
        self._shades, self._layer, self._runtime = variant == "shading8", layer, runtime

    @torch.inference_mode()
    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        with autocast(self._runtime.device, self._runtime.precision):
            layer = self._layer(2 * photos.clamp(0, 1) - 1)
        layer = (layer.float() + 1) / 2
        if self._shades:
            shading = layer.clamp_min(EPSILON)
            return {"albedo": photos / shading, "shading": shading}
        shading = shading_from_albedo(photos, layer, EPSILON, clip=False)
        return {"albedo": layer, "shading": shading.clamp_min(EPSILON)}


def sample_latents(
    encoder: ImageEncoder, unet: UNet, seen: Tensor, noise: Tensor, steps: int
) -> Tensor:
    """Latents ``[B,16|8,H/8,W/8]`` of the layer for photos ``[B,3,H,W]`` in [-1,1]. The photo is
    encoded once."""
    maps = encoder(seen)
    return euler(lambda x, t: unet(x, t, maps), noise, steps)


def _follow(
    encoder: ImageEncoder, unet: UNet, vae: VAE, steps: int, seed: int, seen: Tensor
) -> Tensor:
    """From seeded noise along the flow to the layer: the same noise for every photo of one size,
    whatever batch it travels in and whatever the device."""
    b, _, h, w = seen.shape
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, vae.latent, h // DOWN, w // DOWN, generator=generator)
    noise = noise.to(seen.device).expand(b, -1, -1, -1)
    return vae.decode(sample_latents(encoder, unet, seen, noise, steps))


def _rebuild(vae: VAE, seen: Tensor) -> Tensor:
    """What the autoencoder alone makes of the photo."""
    if vae.channels == 1:
        seen = brightness(seen)
    mean, _ = vae.encode(seen)
    return vae.decode(mean)


def _load(
    make: Callable[[str], Net], name: str, variant: str, state: NetState, runtime: Runtime
) -> Net:
    """A network filled from ``state`` and ready to run, without spending time on random weights
    first."""
    net = skeleton(make, variant).to_empty(device="cpu")
    open_nets({name: net}, state, runtime.device)
    return net
