"""The method ``flow``: picks the networks of a variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_flow import published
from iid_flow.decomposer import FlowDecomposer, build
from iid_flow.settings import FlowConfig, FlowOptions
from iid_flow.trainers import FlowTrainer, VaeTrainer
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer
from intrinsic_cli.kit.networks.checkpoint import load_into

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class Flow(Method[FlowOptions, FlowConfig]):
    """Variants: the default one, and the published ``albedo16`` and ``shading8``."""

    def decomposer(self, state: NetState, options: FlowOptions, runtime: Runtime) -> Decomposer:
        if runtime.variant:
            return published.decomposer(runtime.variant, state, options, runtime)
        nets = build()
        for name, net in nets.items():
            load_into(net, state, name)
            net.eval()
        return FlowDecomposer(nets, options, runtime)

    def trainer(self, stage: str, config: FlowConfig, source: Source, runtime: Runtime) -> Trainer:
        if runtime.variant:
            return published.trainer(runtime.variant, stage, config, source, runtime)
        return (VaeTrainer if stage == "vae" else FlowTrainer)(config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return published.convert(state)
