"""The method ``mesh``: what the house calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iid_mesh import original
from iid_mesh.decomposer import MeshDecomposer
from iid_mesh.networks.state import load
from iid_mesh.settings import MeshConfig, MeshOptions
from iid_mesh.trainer import trainer_of
from intrinsic_cli.api import Decomposer, Method, Runtime, Source, Trainer
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.folded import folded

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class MeshMethod(Method[MeshOptions, MeshConfig]):
    """See :class:`~intrinsic_cli.api.Method`."""

    def decomposer(self, state: NetState, options: MeshOptions, runtime: Runtime) -> Decomposer:
        if not state:
            return MeshDecomposer(options, runtime)
        network = place(folded(load(state)), runtime.device)
        return MeshDecomposer(options, runtime, network)

    def trainer(self, stage: str, config: MeshConfig, source: Source, runtime: Runtime) -> Trainer:
        return trainer_of(stage, config, source, runtime)

    def convert(self, state: Mapping[str, Any]) -> tuple[str, NetState] | None:
        return original.convert(state)
