"""The network from weights: what it is is read off the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iid_mesh.networks.lite import Lite
from iid_mesh.networks.mesh_net import Design, MeshNet, Stage
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_into
from intrinsic_cli.kit.networks.efficientnet import load_imagenet, pretrained_wanted

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.method import NetState

#: What the network is called among the weights.
MESH = "mesh"
OURS = "`iid weights list` shows those of mesh"
#: A tensor that only one of the networks has.
_MARKS: Mapping[str, tuple[str, Stage]] = {
    "body.features.merge.weight": ("lite", "s2"),
    "body.shape_predictor.pred_layer.0.weight": ("paper", "s1"),
    "body.shape_predictor.pred_layer.weight": ("paper", "s2"),
}


def design_of(part: Mapping[str, Tensor]) -> Design:
    """The design of the network whose tensors these are. WeightsError if it is none of ours."""
    for mark, (backbone, stage) in _MARKS.items():
        if mark in part and "anchors" in part:
            parts = any(key.startswith("part_head.") for key in part)
            zones = any(key.startswith("zone_head.") for key in part)
            return Design(backbone, len(part["anchors"]), stage, parts, zones)
    raise WeightsError("these weights hold no network that sees meshes", OURS)


def untrained(design: Design, pretrained: str = "auto") -> MeshNet:
    """A network that has seen no object yet. The encoder of the small one knows ImageNet where
    ``pretrained`` (yes, no, auto) says so; TrainingError where its weights are not installed."""
    network = MeshNet(design)
    if isinstance(network.body, Lite) and pretrained_wanted(pretrained):
        load_imagenet(network.body.encoder)
    return network


def load(state: NetState) -> MeshNet:
    """The network of the weights. WeightsError where they do not fit."""
    network = MeshNet(design_of(state.get(MESH, {})))
    load_into(network, state, MESH)
    return network
