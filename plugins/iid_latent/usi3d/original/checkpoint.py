"""Checkpoints of the published code, recognised and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from iid_latent.usi3d.original.networks import DISCRIMINATORS, DOMAINS, skeleton
from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import require_shapes

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

#: The published code's names → ours, in its two kinds of file.
_GENERATORS = {"i": "gen_i", "r": "gen_r", "s": "gen_s", "fs": "fea_s", "fm": "fea_m"}
_DISCRIMINATORS = {"r": "dis_r", "s": "dis_s"}
#: A key each kind of network has.
_SIGNS = {"gen": "enc_content.model.0.conv.weight", "dis": "cnns.0.0.conv.weight"}
#: What adaptive instance norms store and never use.
_UNUSED = (".norm.running_mean", ".norm.running_var")


def convert(state: Mapping[str, Any]) -> tuple[str, NetState] | None:
    """(variant, nets) of a checkpoint ``gen_*.pt`` {i, r, s, fs, fm, best_result} or ``dis_*.pt``
    {r, s}, or None.

    Sizes are those of the tensors, so any width is taken. Styles of 32 are ``MIX_IIW``'s; MPI, MIT
    and ShapeNet have equal shapes, and ``MPI`` stands for all three: who imports one of the others
    says so with its name (``--name usi3d-MIT``). The discriminators of all four are alike, so they
    count as ``MPI``'s. Without ``fs`` and ``fm`` it is the ablation without mapping. WeightsError
    where a recognised file misses or changes tensors."""
    kind = _kind(state)
    if kind is None:
        return None
    names = _GENERATORS if kind == "gen" else _DISCRIMINATORS
    nets = {
        ours: _tensors(state[theirs])
        for theirs, ours in names.items()
        if isinstance(state.get(theirs), Mapping)
    }
    _complete(nets, kind)
    for name, part in nets.items():
        require_shapes(part, skeleton(name, part), f"USI3D's {name}")
    style = nets["gen_i"]["enc_style.model.6.weight"].shape[0] if kind == "gen" else 8
    return "MIX_IIW" if style == 32 else "MPI", nets


def _kind(state: Mapping[str, Any]) -> str | None:
    for kind, key in _SIGNS.items():
        if all(isinstance(state.get(name), Mapping) and key in state[name] for name in ("r", "s")):
            return kind
    return None


def _complete(nets: Mapping[str, Any], kind: str) -> None:
    asked = set(DOMAINS) if kind == "gen" else set(DISCRIMINATORS)
    if ("fea_s" in nets) != ("fea_m" in nets):
        asked |= {"fea_s", "fea_m"}
    if missing := sorted(asked - nets.keys()):
        message = f"the checkpoint looks like one of USI3D, but {' and '.join(missing)} are missing"
        raise WeightsError(message, "import the file as the paper's code has written it")


def _tensors(part: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        key: x.detach().cpu()
        for key, x in part.items()
        if isinstance(x, Tensor) and not key.endswith(_UNUSED)
    }
