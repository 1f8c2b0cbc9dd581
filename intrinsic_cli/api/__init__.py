"""The contract between ``iid`` and its plugins: light to import, stable to build on."""

from intrinsic_cli.api.data import Case, Source
from intrinsic_cli.api.errors import DataError, IidError, PluginError, TrainingError, UsageError, WeightsError
from intrinsic_cli.api.hooks import hookimpl, hookspec
from intrinsic_cli.api.layers import Decomposition, Mesh
from intrinsic_cli.api.method import Decomposer, Method, Runtime, Scorer, Trainer
from intrinsic_cli.api.progress import Progress, Silent
from intrinsic_cli.api.specs import DatasetSpec, Frame, MethodSpec, NoOptions, TrainConfig, knob

__all__ = [
    "Case",
    "DataError",
    "DatasetSpec",
    "Decomposer",
    "Decomposition",
    "Frame",
    "IidError",
    "Mesh",
    "Method",
    "MethodSpec",
    "NoOptions",
    "PluginError",
    "Progress",
    "Runtime",
    "Scorer",
    "Silent",
    "Source",
    "TrainConfig",
    "Trainer",
    "TrainingError",
    "UsageError",
    "WeightsError",
    "hookimpl",
    "hookspec",
    "knob",
]
