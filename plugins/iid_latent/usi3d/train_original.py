"""Training of the published networks: display-encoded images, one Adam a side."""

from __future__ import annotations

from torch.optim import Adam

from iid_latent.usi3d import original
from iid_latent.usi3d.representation import EncodedRepresentation
from iid_latent.usi3d.settings import OriginalConfig
from iid_latent.usi3d.trainer import DISCRIMINATORS, GENERATORS, Usi3dTrainer
from intrinsic_cli.api import Runtime, Source

_BETAS, _DECAY = (0.5, 0.999), 1e-4


class OriginalTrainer(Usi3dTrainer):
    """See :class:`~iid_latent.usi3d.trainer.Usi3dTrainer`; the whole batch goes through all
    terms."""

    def __init__(self, config: OriginalConfig, source: Source, runtime: Runtime) -> None:
        weights = config.loss_weights(runtime.variant)
        super().__init__(config, source, EncodedRepresentation(), weights, 1.0)
        self._use(original.build(runtime.variant, config.dim), runtime)
        rate = config.lr
        generators = self._parameters(GENERATORS)
        discriminators = self._parameters(DISCRIMINATORS)
        self.optimizers = {
            "gen": Adam(generators, rate, _BETAS, weight_decay=_DECAY),
            "dis": Adam(discriminators, rate, _BETAS, weight_decay=_DECAY),
        }
