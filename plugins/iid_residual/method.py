"""The method ``residual``: what the house calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_residual import original
from iid_residual.decomposer import ResidualDecomposer
from iid_residual.networks.state import load
from iid_residual.settings import ResidualConfig, ResidualOptions
from iid_residual.trainer import ResidualTrainer
from iid_residual.variants import design_of
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class Residual(Method[ResidualOptions, ResidualConfig]):
    """Variants are the rows of ``variants.DESIGNS``."""

    def decomposer(self, state: NetState, options: ResidualOptions, runtime: Runtime) -> Decomposer:
        design = design_of(runtime.variant)
        network, conventions = load(design, state)
        return ResidualDecomposer(design, network, conventions, options, runtime)

    def trainer(
        self, stage: str, config: ResidualConfig, source: Source, runtime: Runtime
    ) -> Trainer:
        return ResidualTrainer(stage, config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return original.convert(state)
