"""The trainer of a stage."""

from __future__ import annotations

from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.stages.flow import FlowStage
from iid_mesh.stages.s1 import GrowingStage
from iid_mesh.stages.s2 import ConsistentStage
from iid_mesh.stages.semantic import SemanticStage
from intrinsic_cli.api import Runtime, Source

#: In the order in which they are trained.
STAGES: dict[str, type[FittingStage]] = {
    "s1": GrowingStage,
    "template": SemanticStage,
    "s2": ConsistentStage,
    "flow": FlowStage,
}


def trainer_of(stage: str, config: MeshConfig, source: Source, runtime: Runtime) -> FittingStage:
    """The trainer of stage ``s1``, ``template``, ``s2`` or ``flow``."""
    make = STAGES[stage]
    return make(config, source, runtime)
