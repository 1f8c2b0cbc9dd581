"""The contract between ``iid`` and its plugins: light to import, stable to build on."""

from intrinsic_cli.api.data import Batch, Case, Source, Split
from intrinsic_cli.api.errors import (
    DataError,
    IidError,
    PluginError,
    TrainingError,
    UsageError,
    WeightsError,
)
from intrinsic_cli.api.hooks import hookimpl, hookspec
from intrinsic_cli.api.method import Decomposer, Method, Minimise, NetState, Runtime, Trainer
from intrinsic_cli.api.outputs import Animation, Decomposition, Image, Kind, Mesh, Outputs
from intrinsic_cli.api.progress import Progress, Silent
from intrinsic_cli.api.protocols import Metric, Pool, Protocol
from intrinsic_cli.api.regions import Region
from intrinsic_cli.api.specs import (
    DatasetSpec,
    Frame,
    MethodSpec,
    NoOptions,
    ProtocolSpec,
    TrainConfig,
    Variant,
    knob,
)

__all__ = [
    "Animation",
    "Batch",
    "Case",
    "DataError",
    "DatasetSpec",
    "Decomposer",
    "Decomposition",
    "Frame",
    "IidError",
    "Image",
    "Kind",
    "Mesh",
    "Method",
    "MethodSpec",
    "Metric",
    "Minimise",
    "NetState",
    "NoOptions",
    "Outputs",
    "PluginError",
    "Pool",
    "Progress",
    "Protocol",
    "ProtocolSpec",
    "Region",
    "Runtime",
    "Silent",
    "Source",
    "Split",
    "TrainConfig",
    "Trainer",
    "TrainingError",
    "UsageError",
    "Variant",
    "WeightsError",
    "hookimpl",
    "hookspec",
    "knob",
]
