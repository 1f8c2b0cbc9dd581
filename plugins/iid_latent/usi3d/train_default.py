"""Training of the default variant: log images, a pretrained backbone, AdamW."""

from __future__ import annotations

from typing import Any

from torch.optim import AdamW, Optimizer

from iid_latent.usi3d.build import build
from iid_latent.usi3d.representation import LogRepresentation
from iid_latent.usi3d.settings import Usi3dConfig
from iid_latent.usi3d.trainer import DISCRIMINATORS, GENERATORS, Usi3dTrainer
from intrinsic_cli.api import Runtime, Source


class DefaultTrainer(Usi3dTrainer):
    """See :class:`~iid_latent.usi3d.trainer.Usi3dTrainer`."""

    def __init__(self, config: Usi3dConfig, source: Source, runtime: Runtime) -> None:
        weights = config.loss_weights()
        representation = LogRepresentation()
        super().__init__(config, source, representation, weights, config.share)
        pretrained = self._wants_pretrained(config.pretrained, runtime)
        self._use(build(config, pretrained), runtime)
        self.optimizers = self._make_optimizers(config)

    def _make_optimizers(self, config: Usi3dConfig) -> dict[str, Optimizer]:
        c = config
        photos: Any = self.nets["gen_i"]  # modules hide what they hold
        backbone = list(photos.trunk.parameters())
        held = {id(p) for p in backbone}
        rest = [p for p in self._parameters(GENERATORS) if id(p) not in held]
        groups = [{"params": rest, "lr": c.lr}, {"params": backbone, "lr": c.backbone_lr}]
        discriminators = self._parameters(DISCRIMINATORS)
        return {
            "gen": AdamW(groups, betas=(0.8, 0.99), weight_decay=c.weight_decay),
            "dis": AdamW(discriminators, c.dis_lr, (0.5, 0.999), weight_decay=c.weight_decay),
        }
