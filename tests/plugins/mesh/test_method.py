"""The method as the house finds it: variants, options, and work without weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from iid_mesh.method import MeshMethod
from iid_mesh.networks.mesh_net import Design, MeshNet
from iid_mesh.settings import MeshConfig, MeshOptions
from iid_mesh.stages.s1 import GrowingStage
from intrinsic_cli import settings, weights
from intrinsic_cli.api import Runtime, UsageError, WeightsError
from intrinsic_cli.kit.networks.checkpoint import state_of
from intrinsic_cli.registry import load_registry
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train.plan import plan

SPEC = load_registry().methods["mesh"]
CPU = Runtime(torch.device("cpu"))


def test_it_trains_on_birds_where_no_dataset_is_named(tmp_path: Path) -> None:
    registry = load_registry()
    named = TrainRequest(method="mesh", data="objects:somewhere", out=tmp_path / "a")
    mesh = TrainRequest(method="mesh", out=tmp_path / "b")
    flow = TrainRequest(method="flow", out=tmp_path / "c")
    assert plan(mesh, registry).data == "birds"
    assert plan(flow, registry).data == "synth"
    assert plan(named, registry).data.startswith("objects:")


def test_the_variants() -> None:
    assert SPEC.default.stages == ("s1", "template", "s2", "flow")
    assert SPEC.default.works_untrained
    assert SPEC.variant("fit").stages == ()
    assert set(SPEC.default.layers) == set(SPEC.variant("fit").layers)
    assert {"mesh", "mask", "render", "camera", "turntable"} < set(SPEC.default.layers)


def test_the_fit_asks_for_no_weights(home: Path) -> None:
    assert weights.find_weights(SPEC, SPEC.variant("fit")) is None


def test_a_network_is_opened_from_its_weights() -> None:
    network = MeshNet(Design(hypotheses=2))
    opened = MeshMethod().decomposer(state_of({"mesh": network}), MeshOptions(refine=0), CPU)
    assert opened.frame.alpha
    with pytest.raises(WeightsError):
        MeshMethod().decomposer({"other": {}}, MeshOptions(), CPU)


def test_options_are_checked() -> None:
    assert settings.settle(MeshOptions, {}, ("refine=0",)).refine == 0
    with pytest.raises(UsageError, match="refine"):
        settings.settle(MeshOptions, {}, ("refine=-2",))


def test_settings_that_no_network_can_have_are_refused() -> None:
    with pytest.raises(UsageError, match="crop must be a multiple of 16, not 17"):
        settings.settle(MeshConfig, {}, ("crop=17",))
    published = ("backbone=paper", "batch_size=1")
    with pytest.raises(UsageError, match="crop must be at least 48, or batch_size at least 2"):
        settings.settle(MeshConfig, {}, (*published, "crop=32"))
    assert settings.settle(MeshConfig, {}, (*published, "crop=48")).crop == 48


def test_stages_have_trainers() -> None:
    from intrinsic_cli.testing_source import open_tiny

    config = settings.settle(SPEC.default.config, dict(SPEC.default.smoke), ())
    assert isinstance(MeshMethod().trainer("s1", config, open_tiny(), CPU), GrowingStage)
