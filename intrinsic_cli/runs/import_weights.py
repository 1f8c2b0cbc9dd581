"""``iid weights import``: checkpoints of a paper's own code → weights ``iid`` can use.

Checkpoints are pickles, and a pickle can run code. They are opened by torch's restricted reader,
which knows tensors and plain containers, plus the one thing training loops like to leave in them: a
numpy float64."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import weights
from intrinsic_cli.api import MethodSpec, PluginError, Variant, WeightsError
from intrinsic_cli.registry import Registry, open_method

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


#: What names of checkpoints end in.
SUFFIXES = (".ckpt", ".pkl", ".pt", ".pth")
_NAMED = ", ".join(SUFFIXES)


def import_checkpoint(path: Path, registry: Registry, name: str = "") -> Path:
    """Convert ``path`` and put it below ``$IID_HOME/weights``, as ``name`` or the method's own;
    returns where.

    Where a paper keeps its networks in several files, import one after the other: networks of the
    same method and variant are joined in one file. Parts of one network in several files come
    together where ``path`` is their folder: a method sees each under the stem of its file. A name
    like ``METHOD-VARIANT`` settles the variant. WeightsError when nobody recognises the file or it
    is no checkpoint."""
    files = _checkpoints(path)
    spec, recognised, state = _recognise(path, _read(path, files), registry)
    variant = _variant_named(spec, name) or spec.variant(recognised)
    target = weights.installed_path(name or weights.weights_name(spec, variant))
    record: dict[str, Any] = {"method": spec.name, "variant": variant.name, "imported": True}
    sources = []
    for file in files:
        digest = weights.sha256(file)
        sources.append({"file": file.name, "sha256": digest, "nets": sorted(state)})
    return _save(target, state, record, sources)


def _checkpoints(path: Path) -> list[Path]:
    """The file, or the checkpoints of a folder. WeightsError where it has none."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise WeightsError(f"{path} holds no checkpoints", f"their names end in {_NAMED}")
    return files


def _read(path: Path, files: Sequence[Path]) -> Mapping[str, Any]:
    """The state dict of a file, or those of a folder's files by their stems."""
    from intrinsic_cli.kit.networks.checkpoint import unwrapped

    if not path.is_dir():
        return unwrapped(_load(path))
    return {file.stem: unwrapped(_load(file)) for file in files}


def _variant_named(spec: MethodSpec, name: str) -> Variant | None:
    """Tensors cannot tell variants of equal shapes apart; a user can, by the name."""
    for variant in spec.variants:
        if name == weights.weights_name(spec, variant):
            return variant
    return None


def _load(path: Path) -> Mapping[str, Any]:
    """Zip and legacy layouts alike."""
    import numpy as np
    import torch

    scalar: Any = np.float64(0).__reduce__()[0]
    # Files name it as the numpy that wrote them did, before and after numpy 2 moved it.
    names = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar")
    allowed: list[Any] = [*((scalar, name) for name in names), np.dtype, np.dtypes.Float64DType]
    try:
        with torch.serialization.safe_globals(allowed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch has opinions on pickles it does not know
            state = torch.load(path, map_location="cpu", weights_only=True)
    # Whatever a file that is no checkpoint makes the reader stumble over.
    except Exception as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(state, Mapping):
        message = f"{path} holds a {type(state).__name__} instead of a state dict"
        raise WeightsError(message, "save it with torch.save(model.state_dict(), FILE)")
    return state


def _unreadable(path: Path, reason: str) -> WeightsError:
    refused = re.search(r"GLOBAL ([\w.]+)", reason)
    if refused:
        hint = "save its state dict alone with the code it comes from, then import that"
        return WeightsError(
            f"{path} holds {refused[1]}, which iid does not load since it could run code", hint
        )
    hint = "give a file that torch.save has written; is it whole?"
    return WeightsError(f"{path} is not a readable torch checkpoint", hint)


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
    target: Path, state: NetState, record: Mapping[str, Any], new: Sequence[Mapping[str, Any]]
) -> Path:
    from intrinsic_cli.kit.networks.checkpoint import load_weights, save_weights

    sources: list[Any] = []
    if target.exists():
        kept, told = load_weights(target)
        if any(told.get(key) != value for key, value in record.items()):
            message = f"{target} already holds other weights"
            raise WeightsError(message, "give another name with --name")
        for old in told.get("sources", []):
            nets = [net for net in old["nets"] if net not in state]
            if nets:
                sources.append({**old, "nets": nets})
        state = {**kept, **state}
    save_weights(target, state, {**record, "sources": [*sources, *new]})
    return target
