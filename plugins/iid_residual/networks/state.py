"""Networks from weights: what they are is read off the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iid_residual.networks.pipe import Backbone, Conventions, Network, build, follow
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_into

if TYPE_CHECKING:
    from torch import Tensor

    from iid_residual.variants import Design
    from intrinsic_cli.api.method import NetState

#: Parts that began by changing nothing when networks got them: weights of before do not have them.
_LATER = (".facing.",)
OURS = "`iid weights list` shows those of residual"
PIPE, CONVENTIONS = "pipe", "conventions"
#: A vector as long as the network is wide.
_WIDTHS = {
    "lite": "conv_model.smooth.conv1.bias",
    "paper": "conv_model.conv3.bias",
    "skip": "encoder.conv1.bias",
}


def kind_and_width(part: Mapping[str, Tensor]) -> tuple[Backbone, int]:
    """Backbone and width of the network whose tensors these are. WeightsError if it is none of
    ours."""
    for kind, key in _WIDTHS.items():
        if key in part:
            backbone: Backbone = "lite" if kind == "lite" else "paper"
            return backbone, len(part[key])
    raise WeightsError("these weights hold neither an SfSNet nor a SkipNet", OURS)


def load(design: Design, state: NetState) -> tuple[Network, Conventions]:
    """The network of a variant, and how its numbers are to be read. WeightsError where the weights
    do not fit."""
    backbone, width = kind_and_width(state.get(PIPE, {}))
    network = build(design, backbone, width)
    load_into(network, {PIPE: _completed(network, state[PIPE])}, PIPE)
    conventions = Conventions()
    if CONVENTIONS in state:
        load_into(conventions, state, CONVENTIONS)
    follow(network, conventions)
    return network, conventions


def _completed(network: Network, part: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights with the parts they are too old for, as a new network has them."""
    untrained = {
        key: numbers
        for key, numbers in network.state_dict().items()
        if any(name in key for name in _LATER)
    }
    return {**untrained, **part}
