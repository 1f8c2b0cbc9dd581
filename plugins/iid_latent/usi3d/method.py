"""The method ``usi3d``: picks the networks of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_latent.usi3d import original
from iid_latent.usi3d.decomposer import decomposer_from
from iid_latent.usi3d.settings import (
    OriginalConfig,
    OriginalOptions,
    Usi3dConfig,
    Usi3dOptions,
)
from iid_latent.usi3d.train_default import DefaultTrainer
from iid_latent.usi3d.train_original import OriginalTrainer
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

Options = Usi3dOptions | OriginalOptions
Config = Usi3dConfig | OriginalConfig


class Usi3d(Method[Options, Config]):
    """Variants: the default one, and the published networks under the names of their
    configurations."""

    def decomposer(self, state: NetState, options: Options, runtime: Runtime) -> Decomposer:
        if isinstance(options, OriginalOptions):
            return original.OriginalDecomposer(runtime.variant, state, options, runtime)
        return decomposer_from(state, options, runtime)

    def trainer(self, stage: str, config: Config, source: Source, runtime: Runtime) -> Trainer:
        if isinstance(config, OriginalConfig):
            return OriginalTrainer(config, source, runtime)
        return DefaultTrainer(config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return original.convert(state)
