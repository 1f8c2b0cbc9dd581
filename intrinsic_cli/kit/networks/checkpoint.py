"""Weights on disk: safetensors, which can carry numbers but no code.

A file holds several networks; the tensor ``net|parameter`` belongs to network ``net``. The metadata
key ``record`` is JSON that tells where the weights come from (method, variant, command, data,
steps, seed, seconds, scores)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.files.atomic import replacing
from intrinsic_cli.kit.networks.device import place
from intrinsic_cli.kit.networks.folded import folded

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

_SEPARATOR = "|"
_NAMED = 6  # networks that an error names; methods have fewer


def save_weights(
    path: Path, state: NetState, record: Mapping[str, Any], half: bool = False
) -> None:
    """Write ``state`` atomically; ``half`` stores matrices and kernels in 16 bits (vectors hold
    batch statistics, which need the range)."""
    flat = {}
    for net, part in state.items():
        for name, x in part.items():
            flat[f"{net}{_SEPARATOR}{name}"] = _on_disk(x, half)
    with replacing(path) as temporary:
        save_file(flat, temporary, metadata={"record": json.dumps(record)})


def load_weights(path: Path) -> tuple[NetState, dict[str, Any]]:
    """The networks in ``path`` (half precision widened to float32) and their record. WeightsError
    where it cannot be read or holds numbers that are not finite."""
    state: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {}).get("record", "{}"))
            for key in file.keys():  # noqa: SIM118  not a mapping
                net, _, name = key.partition(_SEPARATOR)
                state.setdefault(net, {})[name] = _widened(file.get_tensor(key))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        hint = f"check it with: iid weights verify {shlex.quote(str(path))}"
        raise WeightsError(f"{path} is not a readable weights file", hint) from error
    _require_finite(path, state)
    return state, record if isinstance(record, dict) else {}


def load_into(net: nn.Module, state: NetState, name: str) -> None:
    """Copy the network ``name`` of ``state`` into ``net``. WeightsError names the first keys that
    do not fit."""
    require_net(state, name)
    try:
        net.load_state_dict(state[name])
    except RuntimeError as error:
        first = next((line.strip() for line in str(error).splitlines()[1:]), str(error))
        hint = "they were made for another method, variant or version"
        raise WeightsError(
            f"these weights do not fit the network {name!r}: {first}", hint
        ) from error


def open_nets(nets: Mapping[str, nn.Module], state: NetState, device: torch.device) -> None:
    """Make ``nets`` ready to decompose, and no more: with their weights in ``state``, in evaluation
    mode, their batch norms folded, without gradients, on the device. WeightsError where one is
    missing or does not fit."""
    for name, net in nets.items():
        load_into(net, state, name)
        folded(net).requires_grad_(False)
        place(net, device)


def require_net(state: NetState, name: str) -> None:
    """WeightsError unless ``state`` holds the network ``name``."""
    if name not in state:
        held = f", only {_named(sorted(state))}" if state else ""
        hint = "they were made for another method, variant or version"
        raise WeightsError(f"the weights hold no network {name!r}{held}", hint)


def _named(names: Sequence[str]) -> str:
    """The first names; a file of one bare network has hundreds."""
    first = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{first} and {more} more" if more > 0 else first


def state_of(nets: Mapping[str, nn.Module]) -> NetState:
    """The weights of several networks as they stand, on the CPU."""
    return {
        name: {k: v.detach().to("cpu", copy=True) for k, v in net.state_dict().items()}
        for name, net in nets.items()
    }


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


def unwrapped(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """A foreign state dict (or several, nested) under the keys of the plain networks: without what
    torch.compile puts into keys (``_orig_mod.``), and DataParallel before all of them
    (``module.``)."""
    words = [key for key in state if isinstance(key, str)]
    parallel = bool(words) and all(key.startswith("module.") for key in words)
    plain = {}
    for key, value in state.items():
        name = key
        if isinstance(key, str):
            name = (key.removeprefix("module.") if parallel else key).replace("_orig_mod.", "")
        plain[name] = unwrapped(value) if isinstance(value, Mapping) else value
    return plain


def _require_finite(path: Path, state: NetState) -> None:
    for net, part in state.items():
        for name, x in part.items():
            if x.is_floating_point() and not bool(torch.isfinite(x).all()):
                message = f"{path} holds numbers that are not finite, first in {net}|{name}"
                raise WeightsError(message, "bring the weights again, or train anew")


def _on_disk(x: Tensor, half: bool) -> Tensor:
    x = x.detach().cpu().contiguous()
    halved = half and x.is_floating_point() and x.ndim > 1
    return x.half() if halved else x.clone()


def _widened(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
