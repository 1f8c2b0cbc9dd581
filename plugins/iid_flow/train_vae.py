"""Stage ``vae`` of the default variant: the shading auto-encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.optim import AdamW

from iid_flow.light import from_log, to_log
from iid_flow.losses import kl_loss
from iid_flow.settings import FlowConfig
from iid_flow.training import FlowStage
from iid_flow.vae import ShadingVAE
from iid_flow.white_point import white_point
from intrinsic_cli.api import Runtime, Source
from intrinsic_cli.kit.networks.device import place

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch
    from intrinsic_cli.api.method import Minimise


class VaeTrainer(FlowStage):
    """Stage ``vae``: rebuild log shading through sixteen latents a quarter its size."""

    def __init__(self, config: FlowConfig, source: Source, runtime: Runtime) -> None:
        super().__init__(config, source)
        self.steps = config.vae_steps
        self.vae = place(ShadingVAE(), runtime.device)
        self.nets = {"vae": self.vae}
        weights = self.vae.parameters()
        self.optimizers = {"vae": AdamW(weights, config.lr, weight_decay=config.weight_decay)}

    def step(self, batch: Batch, minimise: Minimise, number: int) -> Mapping[str, Tensor]:
        truth = to_log(batch["shading"], white_point(batch["photo"]))
        mean, log_variance = self.vae.posterior(truth)
        spread = (0.5 * log_variance).exp()
        noise = torch.randn_like(mean)
        rebuilt = self.vae.decoder(mean + noise * spread)
        pixel = self._log_loss(rebuilt, truth, batch["mask"])
        pixel = pixel.mean()
        kl = kl_loss(mean, log_variance)
        loss = pixel + self._config.kl_weight * kl
        minimise(loss, "vae")
        return {"pixel": pixel.detach(), "kl": kl.detach()}

    def validate(self, batch: Batch) -> Mapping[str, Tensor]:
        truth = to_log(batch["shading"], white_point(batch["photo"]))
        rebuilt = self.vae.decode(self.vae.encode(truth))
        return {"loss": self._log_loss(rebuilt, truth, batch["mask"]).mean()}

    def preview(self, batch: Batch) -> Mapping[str, Tensor]:
        level = white_point(batch["photo"])
        truth = to_log(batch["shading"], level)
        rebuilt = self.vae.decode(self.vae.encode(truth))
        return {
            "photo": batch["photo"],
            "shading": from_log(rebuilt, level),
            "true shading": batch["shading"],
        }
