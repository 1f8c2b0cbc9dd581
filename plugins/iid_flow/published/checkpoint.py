"""Checkpoints of the two papers' own code, recognised and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from iid_flow.published.networks import NETS, skeleton
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import require_shapes, unwrapped

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: (variant, net) → a key and its shape that no other network has.
_SIGNS = {
    ("albedo16", "encoder"): ("down1.resnet_conv_first.2.weight", (128, 64, 3, 3)),
    ("albedo16", "unet"): ("conv_in.weight", (256, 16, 3, 3)),
    ("albedo16", "vae"): ("encoder.model.0.weight", (64, 3, 4, 4)),
    ("albedo16", "discriminator"): ("layers.0.0.weight", (64, 3, 4, 4)),
    ("shading8", "encoder"): ("down1.conv1.weight", (128, 64, 3, 3)),
    ("shading8", "unet"): ("conv_in.weight", (256, 264, 3, 3)),
    ("shading8", "vae"): ("encoder.model.0.weight", (32, 1, 3, 3)),
    ("shading8", "discriminator"): ("layers.0.0.weight", (64, 1, 4, 4)),
}
#: Where the training files keep their state dicts (beside optimizers and counters, which are left
#: behind).
_PARTS = ("model_state_dict", "encoder_state_dict", "discriminator_state_dict")


def convert(state: Mapping[str, Any]) -> tuple[str, NetState] | None:
    """(variant, nets) of an original checkpoint, or None if it is none.

    Taken are: bare state dicts of one network (the released autoencoder and discriminator); flow
    files ``{model_state_dict, encoder_state_dict, ...}``; autoencoder training files
    ``{model_state_dict, discriminator_state_dict, ...}``; each with or without the prefix of
    torch.compile. A file seldom holds all the networks, so the nets may be partial. WeightsError
    where a recognised network misses or changes tensors."""
    parts = [state[name] for name in _PARTS if isinstance(state.get(name), Mapping)]
    found: dict[str, dict[str, Tensor]] = {}
    variants = set()
    for part in parts or [state]:
        tensors = _tensors(part)
        name = _recognise(tensors)
        if name is None:
            return None
        variant, net = name
        require_shapes(tensors, skeleton(NETS[net], variant), f"the {net} of {variant}")
        variants.add(variant)
        found[net] = tensors
    if len(variants) != 1:
        message = f"the checkpoint mixes networks of {' and '.join(sorted(variants))}"
        raise WeightsError(message, "save those of one into a file, and import that")
    return variants.pop(), found


def _tensors(part: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of ``part`` under the keys of the plain network."""
    plain = unwrapped(part)
    return {str(key): x.detach().cpu() for key, x in plain.items() if isinstance(x, Tensor)}


def _recognise(part: Mapping[str, Tensor]) -> tuple[str, str] | None:
    for name, (key, shape) in _SIGNS.items():
        if key in part and tuple(part[key].shape) == shape:
            return name
    return None
