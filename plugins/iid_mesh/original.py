"""Checkpoints of UMR's published code, of its stages s1 and s2.

They hold tensors that nothing reads, which are left out: ResNet's classifier, the first camera
heads of stage s2, the texels of faces and the noise of the last batch. Their cameras have no
anchors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iid_mesh.networks.mesh_net import CROPS, Design, MeshNet, Stage
from iid_mesh.networks.state import MESH
from intrinsic_cli.kit.networks.checkpoint import require_shapes

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: Tensors of every checkpoint, whichever stage it is of.
_COMMON = ("encoder.resnet_conv.resnet.conv1.weight", "texture_predictor.decoder.10.weight")
_DEEP = "shape_predictor.pred_layer.0.weight"
_HYPOTHESIS = re.compile(r"cam_predictor\.camera_predictor\.(\d+)\.")
_UNREAD = re.compile(
    r"uv_sampler$|noise$|encoder\.resnet_conv\.resnet\.fc\.|cam_predictor\.cam_biases$"
    r"|cam_predictor\.(scale|trans|prob|quat)_predictor\."
)
#: Heads of the one camera of stage s1.
_SINGLE = re.compile(r"(quat|scale|trans)_predictor\.")
_UNTURNED = (1.0, 0.0, 0.0, 0.0)
_COUNTER = "num_batches_tracked"


def convert(state: Mapping[str, Any]) -> tuple[str, NetState] | None:
    """(variant, nets) of an original checkpoint, or None if it is none. WeightsError where a
    recognised one misses or changes tensors."""
    tensors = _recognised(state)
    if tensors is None:
        return None
    with torch.device("meta"):  # only its names and shapes are asked for
        network = MeshNet(_design(tensors))
    whole = _renamed(tensors) | _ours(network)
    _add_counters(whole, network)
    what = f"UMR's of stage {network.design.stage}"
    require_shapes(whole, network, what)
    return "", {MESH: {key: whole[key] for key in network.state_dict()}}


def _recognised(state: Mapping[str, Any]) -> Mapping[str, Tensor] | None:
    """The tensors of a checkpoint, which may lie one level deep, beside an optimizer's."""
    nested = [value for value in state.values() if isinstance(value, Mapping)]
    for part in (state, *nested):
        if all(key in part for key in _COMMON):
            return _tensors(part)
    return None


def _tensors(part: Mapping[str, Any]) -> Mapping[str, Tensor]:
    return {key: x for key, x in part.items() if isinstance(x, Tensor)}


def _design(tensors: Mapping[str, Tensor]) -> Design:
    found = (_HYPOTHESIS.match(key) for key in tensors)
    hypotheses = {match[1] for match in found if match}
    stage: Stage = "s1" if _DEEP in tensors else "s2"
    count = max(1, len(hypotheses))
    return Design("paper", count, stage, parts=False, zones=False)


def _renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is read, under our names."""
    renamed = {}
    for key, values in tensors.items():
        if _UNREAD.match(key):
            continue
        ours = f"cam_predictor.{key}" if _SINGLE.match(key) else key
        name = ours if ours == "mean_v" else f"body.{ours}"
        renamed[name] = values.detach().cpu()
    return renamed


def _ours(network: MeshNet) -> dict[str, Tensor]:
    """What the originals do not have: cameras without anchors, a template without parts."""
    unturned = torch.tensor(_UNTURNED).expand(network.anchors.shape)
    parts = torch.zeros(network.template_parts.shape)
    crop = torch.tensor(CROPS["paper"])
    return {"anchors": unturned.clone(), "template_parts": parts, "crop": crop}


def _add_counters(whole: dict[str, Tensor], network: MeshNet) -> None:
    """What batch norms count: torch before 0.4.1 did not keep it."""
    for key in network.state_dict():
        if key.endswith(_COUNTER):
            whole.setdefault(key, torch.tensor(0))
