"""Stage ``vae``: rebuild the layer through latents an eighth of its size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from iid_flow.published.discriminator import Discriminator
from iid_flow.published.stage import PublishedStage, relief_error, shown
from iid_flow.published.vae import VAE, divergence, normal_start
from iid_flow.settings import PublishedConfig
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise

#: Learning rate of the discriminator over the autoencoder's (5e-5 and 5e-6 over 1e-4).
_SLOWER = {"albedo16": 0.5, "shading8": 0.05}
_BETAS = (0.5, 0.999)


class PublishedVaeTrainer(PublishedStage):
    """Squared error, Kullback-Leibler term and, in place of LPIPS with its downloaded weights,
    gradients at several scales; from ``gan_start`` a patch discriminator (``gan_weight`` 0: none at
    all).

    In the papers' code the generator's step also pushed the discriminator, which then settled at
    0.83 for real and rebuilt layers alike. Here it is frozen while the autoencoder learns from
    it."""

    def __init__(
        self, variant: str, config: PublishedConfig, source: Source, runtime: Runtime
    ) -> None:
        super().__init__(variant, config, source)
        self.steps = config.vae_steps
        self.vae = VAE(variant)
        self.discriminator = Discriminator(self.vae.channels)
        if variant == "albedo16":
            normal_start(self.vae)
            normal_start(self.discriminator)
        self.nets: dict[str, nn.Module] = {"vae": self.vae}
        self.optimizers = {"vae": Adam(self.vae.parameters(), config.lr, _BETAS)}
        if config.gan_weight:
            self.nets["discriminator"] = self.discriminator
            slower = config.lr * _SLOWER[variant]
            self.optimizers["discriminator"] = Adam(self.discriminator.parameters(), slower, _BETAS)
        for net in self.nets.values():
            place(net, runtime.device)

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        _, layer = self._pair(batch)
        adversarial = self._is_adversarial(number)
        rebuilt, mean, logvar = self.vae(layer)
        terms = self._terms(rebuilt, layer, batch["mask"])
        terms["kl"] = divergence(mean.float(), logvar.float())
        terms["gan"] = rebuilt.new_zeros(())
        if adversarial:
            terms["gan"] = self._generator_loss(rebuilt)
        loss = self._total(terms) + self._config.gan_weight * terms["gan"]
        minimise(loss, "vae")
        terms["discriminator"] = rebuilt.new_zeros(())
        if adversarial and number % 2 == 0:
            terms["discriminator"] = self._discriminator_loss(layer, rebuilt.detach())
            minimise(0.1 * terms["discriminator"], "discriminator")
        return {name: term.detach() for name, term in terms.items()}

    def _is_adversarial(self, number: int) -> bool:
        return self._config.gan_weight > 0 and number >= self._config.gan_start

    def _terms(self, rebuilt: Tensor, layer: Tensor, mask: Tensor) -> dict[str, Tensor]:
        rebuilt = rebuilt.float()
        return {"pixel": F.mse_loss(rebuilt, layer), "gradient": relief_error(rebuilt, layer, mask)}

    def _total(self, terms: Mapping[str, Tensor]) -> Tensor:
        c = self._config
        return terms["pixel"] + c.gradient_weight * terms["gradient"] + c.kl_weight * terms["kl"]

    def _generator_loss(self, rebuilt: Tensor) -> Tensor:
        """How easily the discriminator tells ``rebuilt`` from a real layer; leaves no gradient in
        it."""
        self.discriminator.requires_grad_(False)
        logits = self.discriminator(rebuilt)
        self.discriminator.requires_grad_(True)
        return _cross_entropy(logits, real=True)

    def _discriminator_loss(self, layer: Tensor, rebuilt: Tensor) -> Tensor:
        """The discriminator's own error over real and rebuilt layers."""
        of_real = _cross_entropy(self.discriminator(layer), real=True)
        of_rebuilt = _cross_entropy(self.discriminator(rebuilt), real=False)
        return (of_rebuilt + of_real) / 2

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        _, layer = self._pair(batch)
        mean, logvar = self.vae.encode(layer)
        rebuilt = self.vae.decode(mean)
        terms = self._terms(rebuilt, layer, batch["mask"])
        terms["kl"] = divergence(mean.float(), logvar.float())
        return {"loss": self._total(terms), **terms}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        _, layer = self._pair(batch)
        rebuilt = self.vae.decode(self.vae.encode(layer)[0])
        return {"photo": batch["photo"], "rebuilt": shown(rebuilt), "truth": shown(layer)}


def _cross_entropy(logits: Tensor, real: bool) -> Tensor:
    target = torch.full_like(logits, float(real))
    return F.binary_cross_entropy_with_logits(logits, target)
