"""``iid weights import``: a checkpoint of a paper's own code → weights ``iid`` can use.

Checkpoints are pickles, and a pickle can run code. They are opened by torch's restricted reader,
which knows tensors and plain containers, plus the one thing training loops like to leave in them: a
numpy float64."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import weights
from intrinsic_cli.api import MethodSpec, PluginError, WeightsError
from intrinsic_cli.registry import Registry, open_method

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


def import_checkpoint(path: Path, registry: Registry, name: str = "") -> Path:
    """Convert ``path`` and put it below ``$IID_HOME/weights``, as ``name`` or the method's own;
    returns where.

    Where a paper keeps its networks in several files, import one after the other: networks of the
    same method and variant are joined in one file. A name like ``METHOD-VARIANT`` settles the
    variant. WeightsError when nobody recognises the file or it is no checkpoint."""
    spec, recognised, state = _recognise(path, _unwrapped(_load(path)), registry)
    # Tensors cannot tell variants of equal shapes apart; a user can, by the name.
    named = [v for v in spec.variants if name == weights.weights_name(spec, v)]
    variant = named[0] if named else spec.variant(recognised)
    stem = name or weights.weights_name(spec, variant)
    target = weights.home() / "weights" / f"{stem}{weights.SUFFIX}"
    record: dict[str, Any] = {"method": spec.name, "variant": variant.name, "imported": True}
    source = {"file": path.name, "sha256": weights.sha256(path), "nets": sorted(state)}
    return _save(target, state, record, source)


def _load(path: Path) -> Mapping[str, Any]:
    """Zip and legacy layouts alike."""
    import numpy as np
    import torch

    scalar: Any = np.float64(0).__reduce__()[0]
    # Files name it as the numpy that wrote them did, before and after numpy 2 moved it.
    names = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
    allowed: list[Any] = [*((scalar, name) for name in names), np.dtype, np.dtypes.Float64DType]
    try:
        with torch.serialization.safe_globals(allowed):
            state = torch.load(path, map_location="cpu", weights_only=True)
    # Whatever a file that is no checkpoint makes the reader stumble over.
    except Exception as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path} holds a {type(state).__name__} instead of a state dict")
    return state


def _unreadable(path: Path, reason: str) -> WeightsError:
    refused = re.search(r"GLOBAL ([\w.]+)", reason)
    if refused:
        hint = "save its state dict alone with the code it comes from, then import that"
        return WeightsError(
            f"{path} holds {refused[1]}, which iid does not load since it could run code", hint
        )
    return WeightsError(f"{path} is not a readable torch checkpoint")


def _unwrapped(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """Keys without what torch.compile puts into them (``_orig_mod.``) and DataParallel before all
    (``module.``)."""
    wrapped = bool(state) and all(
        isinstance(key, str) and key.startswith("module.") for key in state
    )
    return {
        _plain(key, wrapped): _unwrapped(value) if isinstance(value, Mapping) else value
        for key, value in state.items()
    }


def _plain(key: Any, wrapped: bool) -> Any:
    if not isinstance(key, str):
        return key
    return (key.removeprefix("module.") if wrapped else key).replace("_orig_mod.", "")


def _recognise(
    path: Path, state: Mapping[str, Any], registry: Registry
) -> tuple[MethodSpec, str, NetState]:
    """Ask one method after the other whose networks these are."""
    for spec in registry.methods.values():
        try:
            found = open_method(spec).convert(state)
        except PluginError:
            continue  # a broken method cannot recognise anything; the others still can
        if found:
            return spec, *found
    asked = ", ".join(registry.methods) or "none"
    raise WeightsError(
        f"no installed method recognises the networks in {path}", f"methods asked: {asked}"
    )


def _save(
    target: Path, state: NetState, record: Mapping[str, Any], source: Mapping[str, Any]
) -> Path:
    from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights

    sources: list[Any] = []
    if target.exists():
        kept, told = load_weights(target)
        if any(told.get(key) != value for key, value in record.items()):
            raise WeightsError(
                f"{target} already holds other weights", "give another name with --name"
            )
        sources = [_without(old, state) for old in told.get("sources", [])]
        state = {**kept, **state}
    save_weights(
        target, state, {**record, "sources": [old for old in sources if old["nets"]] + [source]}
    )
    return target


def _without(source: Mapping[str, Any], replaced: NetState) -> dict[str, Any]:
    """An earlier source with the networks that are still from it."""
    return {**source, "nets": [net for net in source["nets"] if net not in replaced]}
