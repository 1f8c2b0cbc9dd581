"""Weights on disk: safetensors, which can carry numbers but no code.

A file holds several networks; the tensor ``net|parameter`` belongs to network ``net``. The metadata
key ``record`` is JSON that tells where the weights come from (method, variant, command, data,
steps, seed, seconds, scores)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.files.atomic import replacing

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

_SEPARATOR = "|"


def save_weights(
    path: Path, state: NetState, record: Mapping[str, Any], half: bool = False
) -> None:
    """Write ``state`` atomically; ``half`` stores matrices and kernels in 16 bits (vectors hold
    batch statistics, which need the range)."""
    flat = {
        f"{net}{_SEPARATOR}{name}": _storable(x, half)
        for net, part in state.items()
        for name, x in part.items()
    }
    with replacing(path) as temporary:
        save_file(flat, temporary, metadata={"record": json.dumps(record)})


def load_weights(path: Path) -> tuple[NetState, dict[str, Any]]:
    """The networks in ``path`` (half precision widened to float32) and their record. WeightsError
    if unreadable."""
    state: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {}).get("record", "{}"))
            for key in file.keys():  # noqa: SIM118  not a mapping
                net, _, name = key.partition(_SEPARATOR)
                state.setdefault(net, {})[name] = _wide(file.get_tensor(key))
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is not a readable weights file", "check it with: iid weights verify"
        ) from error
    return state, record


def load_into(net: nn.Module, state: NetState, name: str) -> None:
    """Copy the network ``name`` of ``state`` into ``net``. WeightsError names the first keys that
    do not fit."""
    if name not in state:
        raise WeightsError(
            f"the weights hold no network {name!r}, only {', '.join(sorted(state)) or 'nothing'}"
        )
    try:
        net.load_state_dict(state[name])
    except RuntimeError as error:
        first = next((line.strip() for line in str(error).splitlines()[1:]), str(error))
        hint = "they were made for another method, variant or version"
        raise WeightsError(
            f"these weights do not fit the network {name!r}: {first}", hint
        ) from error


def state_of(nets: Mapping[str, nn.Module]) -> NetState:
    """The weights of several networks as they stand, on the CPU."""
    return {
        name: {k: v.detach().to("cpu", copy=True) for k, v in net.state_dict().items()}
        for name, net in nets.items()
    }


def _storable(x: Tensor, half: bool) -> Tensor:
    x = x.detach().cpu().contiguous()
    return x.half() if half and x.is_floating_point() and x.ndim > 1 else x.clone()


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def require_shapes(part: Mapping[str, Tensor], net: nn.Module, what: str) -> None:
    """WeightsError unless ``part`` of a foreign checkpoint (it looks like ``what``) has names and
    shapes of ``net``."""
    expected = {key: tuple(x.shape) for key, x in net.state_dict().items()}
    given = {key: tuple(x.shape) for key, x in part.items()}
    wrong = sorted(
        key for key in expected.keys() | given.keys() if expected.get(key) != given.get(key)
    )
    if wrong:
        raise WeightsError(
            f"the checkpoint looks like {what}, but {wrong[0]} does not fit",
            f"{len(wrong)} of {len(expected)} tensors are missing, extra or of another shape",
        )
