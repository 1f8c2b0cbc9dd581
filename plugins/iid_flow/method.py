"""The method ``flow``: picks the networks of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_flow import published
from iid_flow.decompose_residual import ResidualFlowDecomposer, build_residual
from iid_flow.decomposer import FlowDecomposer, build
from iid_flow.known import MaskedFlowDecomposer
from iid_flow.settings import (
    FlowConfig,
    FlowOptions,
    PublishedConfig,
    PublishedOptions,
    ResidualFlowConfig,
)
from iid_flow.train_flow import FlowTrainer
from iid_flow.train_residual import ResidualFlowTrainer
from iid_flow.train_vae import VaeTrainer
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer
from intrinsic_cli.kit.networks.checkpoint import open_nets

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

Options = FlowOptions | PublishedOptions
Config = FlowConfig | PublishedConfig


class Flow(Method[Options, Config]):
    """Variants: the default one, the same with highlights apart (``residual``), and the published
    ``albedo16`` and ``shading8``."""

    def decomposer(self, state: NetState, options: Options, runtime: Runtime) -> Decomposer:
        if isinstance(options, PublishedOptions):
            return published.decomposer(runtime.variant, state, options, runtime)
        if runtime.variant == "residual":
            nets = build_residual()
            open_nets(nets, state, runtime.device)
            return ResidualFlowDecomposer(nets, options, runtime)
        nets = build()
        open_nets(nets, state, runtime.device)
        if options.mask:
            return MaskedFlowDecomposer(nets, options, runtime)
        return FlowDecomposer(nets, options, runtime)

    def trainer(self, stage: str, config: Config, source: Source, runtime: Runtime) -> Trainer:
        if isinstance(config, PublishedConfig):
            return published.trainer(runtime.variant, stage, config, source, runtime)
        if stage == "vae":
            return VaeTrainer(config, source, runtime)
        if isinstance(config, ResidualFlowConfig):
            return ResidualFlowTrainer(config, source, runtime)
        return FlowTrainer(config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return published.convert(state)
