"""Published networks whose parts lie in files of their own: the variants with a discriminator keep
their albedo generator beside the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from intrinsic_cli.api import WeightsError

GENERATOR = "albedo_gen_model"
#: A key of the network that the parts belong to.
_WHOLE = "conv_model.conv3.weight"
#: Keys of a generator that stands alone, and of no other part.
_ALONE = {"conv1.0.weight", "conv1.1.running_mean", "conv2.0.weight", "conv3.weight", "conv3.bias"}
_FILTER = 4  # dimensions of a filter's tensor


@dataclass(frozen=True, slots=True)
class Joined:
    """All tensors of a network under the names the port gives them, without the discriminator:
    decomposing needs none, and training makes its own."""

    tensors: dict[str, Tensor]
    has_discriminator: bool


def joined(state: Mapping[str, Any]) -> Joined | None:
    """The network whose parts are ``state``'s, by whatever name; None where they are not the parts
    of one."""
    parts = [dict(part) for part in state.values() if isinstance(part, Mapping)]
    wholes = [part for part in parts if _WHOLE in part]
    if len(wholes) != 1:
        return None
    (tensors,) = wholes
    generators = [part for part in parts if part.keys() >= _ALONE]
    if len(generators) > 1:
        raise WeightsError("there are several albedo generators", "put one beside the network")
    for generator in generators:
        named = {f"{GENERATOR}.{key}": values for key, values in generator.items()}
        tensors = {**tensors, **named}
    return Joined(tensors, any(_is_discriminator(part) for part in parts))


def require_albedo(tensors: Mapping[str, Tensor]) -> None:
    """WeightsError where the albedo generator is missing."""
    if any(key.startswith(f"{GENERATOR}.") for key in tensors):
        return
    message = f"these weights hold no {GENERATOR}"
    raise WeightsError(message, "where it has a file of its own, import the folder of both")


def _is_discriminator(part: Mapping[str, Any]) -> bool:
    """Does it end with a filter that makes one number of a whole map?"""
    filters = [x for x in part.values() if isinstance(x, Tensor) and x.ndim == _FILTER]
    return bool(filters) and filters[-1].shape[0] == 1
