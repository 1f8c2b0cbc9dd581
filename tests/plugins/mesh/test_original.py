"""Checkpoints of the published code: recognised, read, refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from iid_mesh.networks.mesh_net import Design, MeshNet
from iid_mesh.networks.state import MESH
from iid_mesh.original import convert
from intrinsic_cli.api import WeightsError

Checkpoint = Callable[[str], dict[str, Tensor]]
#: Parameters published, and those of them that nothing reads: ResNet's classifier, and in s2 the
#: first camera heads.
PUBLISHED = {"s1": 92_361_702, "s2": 85_356_474}
UNREAD = {"s1": 513_000, "s2": 513_000 + 3_015}


def _parameters(network: nn.Module) -> int:
    return sum(x.numel() for x in network.parameters())


@pytest.mark.parametrize(("stage", "hypotheses"), [("s1", 1), ("s2", 8)])
def test_both_stages_are_recognised_and_have_their_size(
    stage: str, hypotheses: int, checkpoint: Checkpoint, imported: Callable[[str], MeshNet]
) -> None:
    network = imported(stage)
    design = network.design
    assert design == Design("paper", hypotheses, design.stage, parts=False, zones=False)
    assert design.stage == stage
    assert _parameters(network) == PUBLISHED[stage] - UNREAD[stage]
    assert network.anchors.equal(torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(hypotheses, 4))
    key = "encoder.enc_fc.0.0.weight"
    assert network.get_parameter(f"body.{key}").equal(checkpoint(stage)[key])
    assert network.crop == 256
    made = network(torch.rand(1, 3, 64, 64))
    assert made.cameras.shape == (1, hypotheses, 7)


def test_the_single_camera_of_the_first_stage_is_read(checkpoint: Checkpoint) -> None:
    original = checkpoint("s1")
    found = convert(original)
    assert found is not None
    bias = found[1][MESH]["body.cam_predictor.quat_predictor.pred_layer.bias"]
    assert bias.equal(original["quat_predictor.pred_layer.bias"])


def test_counters_may_be_missing(checkpoint: Checkpoint) -> None:
    original = checkpoint("s1")
    old = {key: x for key, x in original.items() if not key.endswith("num_batches_tracked")}
    found = convert(old)
    assert found is not None
    assert found[1][MESH]["body.encoder.enc_conv1.1.num_batches_tracked"] == 0
    assert all(x.device.type == "cpu" for x in found[1][MESH].values())


def test_checkpoints_may_lie_one_level_deep(checkpoint: Checkpoint) -> None:
    found = convert({"epoch": 3, "optimizer": {"state": {}}, "model": checkpoint("s1")})
    assert found is not None
    assert found[1][MESH]["mean_v"].shape == (337, 3)


def test_others_are_not_recognised_and_damaged_ones_refused(checkpoint: Checkpoint) -> None:
    assert convert({"encoder.weight": torch.zeros(1)}) is None
    assert convert({"state": {"a": torch.zeros(1)}}) is None
    damaged = checkpoint("s1")
    del damaged["shape_predictor.pred_layer.4.bias"]
    with pytest.raises(WeightsError, match=r"shape_predictor\.pred_layer\.4\.bias"):
        convert(damaged)


def test_ours_are_not_taken_for_originals() -> None:
    assert convert(MeshNet(Design()).state_dict()) is None
