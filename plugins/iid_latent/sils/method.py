"""The method ``sils``: picks the layers of a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iid_latent.sils.decomposer import decomposer_from
from iid_latent.sils.layer_model import layer_model_of
from iid_latent.sils.settings import ReflectionConfig, SilsConfig, SilsOptions
from iid_latent.sils.trainer import SilsTrainer
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class Sils(Method[SilsOptions, SilsConfig]):
    """Variants: ``intrinsic`` (the default), ``reflection`` and ``three``."""

    def decomposer(self, state: NetState, options: SilsOptions, runtime: Runtime) -> Decomposer:
        return decomposer_from(state, options, runtime)

    def trainer(self, stage: str, config: SilsConfig, source: Source, runtime: Runtime) -> Trainer:
        with_flare = isinstance(config, ReflectionConfig) and config.layers == 3
        model = layer_model_of(runtime.variant, with_flare)
        return SilsTrainer(model, config, source, runtime)
