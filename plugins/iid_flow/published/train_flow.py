"""Stage ``flow``: velocities of the frozen autoencoder's latents, given the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam

from iid_flow.path import estimate, interpolate, velocity
from iid_flow.published.encoder import ImageEncoder
from iid_flow.published.inference import sample_latents
from iid_flow.published.networks import DOWN, STEPS
from iid_flow.published.stage import PublishedStage, relief_error, shown
from iid_flow.published.unet import UNet
from iid_flow.published.vae import VAE, sample
from iid_flow.settings import PublishedConfig
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.losses import masked_mean

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise


class PublishedFlowTrainer(PublishedStage):
    """Flow matching (squared error of the velocity) on a fresh posterior sample of each layer.

    ``shading8`` trains every other step at t = 0, where one step of Euler starts, and on nothing
    else. ``albedo16`` draws t from U(0,1) and adds a perceptual term on the decoded answer:
    gradients at several scales here, LPIPS in the paper. The papers keep one Adam for each network;
    one Adam over both does the same, but clips them together."""

    def __init__(
        self, variant: str, config: PublishedConfig, source: Source, runtime: Runtime
    ) -> None:
        super().__init__(variant, config, source)
        self.vae, self.encoder, self.unet = VAE(variant), ImageEncoder(variant), UNet(variant)
        if runtime.parents:
            load_into(self.vae, runtime.parents["vae"], "vae")
        self.vae.requires_grad_(False).eval()  # eval: its batch norms must not go on learning
        self.nets = {"vae": self.vae, "encoder": self.encoder, "unet": self.unet}
        for net in self.nets.values():
            place(net, runtime.device)
        self.optimizers = {
            "flow": Adam([*self.unet.parameters(), *self.encoder.parameters()], config.lr)
        }

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        even = number % 2 == 0
        terms = self._terms(batch, at_zero=even and self._variant == "shading8")
        loss = self._total(terms)
        minimise(loss, "flow")
        return {name: term.detach() for name, term in terms.items()}

    def _total(self, terms: Mapping[str, Tensor]) -> Tensor:
        if "gradient" not in terms:
            return terms["flow"]
        return terms["flow"] + self._config.gradient_weight * terms["gradient"]

    def _terms(self, batch: Batch, at_zero: bool = False) -> dict[str, Tensor]:
        photo, layer = self._pair(batch)
        with torch.no_grad():
            x1 = sample(*self.vae.encode(layer)).float()
        x0 = torch.randn_like(x1)
        t = torch.zeros(len(x1), device=x1.device)
        if not at_zero:
            t = torch.rand_like(t)
        xt = interpolate(x0, x1, t)
        v = self.unet(xt, t, self.encoder(photo)).float()
        known = (F.avg_pool2d(batch["mask"], DOWN) > 0.99).to(v.dtype)
        error = (v - velocity(x0, x1)).square()
        terms = {"flow": masked_mean(error, known).mean()}
        if self._variant == "albedo16":
            answer = self.vae.decode(estimate(xt, v, t))
            terms["gradient"] = relief_error(answer, layer, batch["mask"])
        return terms

    def _answer(self, photo: Tensor) -> Tensor:
        """The layer in [-1,1] that the networks give for ``photo`` in [-1,1], in as many steps as
        the authors take."""
        b, _, h, w = photo.shape
        height, width = h // DOWN, w // DOWN
        noise = torch.randn(b, self.vae.latent, height, width, device=photo.device)
        steps = STEPS[self._variant]
        latents = sample_latents(self.encoder, self.unet, photo, noise, steps)
        return self.vae.decode(latents)

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        terms = self._terms(batch)
        photo, layer = self._pair(batch)
        error = (self._answer(photo).float() - layer).square() / 4  # of values in [0,1]
        pixel = masked_mean(error, batch["mask"]).mean()
        return {"loss": self._total(terms), **terms, "pixel": pixel}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        photo, layer = self._pair(batch)
        answer = self._answer(photo)
        return {"photo": shown(photo), "answer": shown(answer), "truth": shown(layer)}
