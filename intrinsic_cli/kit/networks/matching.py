"""Which networks of a weights file are those of a trainer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


@dataclass(frozen=True, slots=True)
class Match:
    """``taken`` nets have all their tensors (``tensors`` of them) in the weights, with equal names
    and shapes; ``unlike`` ones have only the name there; ``absent`` ones not even that."""

    taken: tuple[str, ...]
    tensors: int
    unlike: tuple[str, ...]
    absent: tuple[str, ...]


def match_nets(nets: Mapping[str, nn.Module], state: NetState) -> Match:
    """Compare ``nets`` with the weights ``state``."""
    present = [name for name in nets if name in state]
    taken = [name for name in present if fits(nets[name], state[name])]
    return Match(
        taken=tuple(taken),
        tensors=sum(len(state[name]) for name in taken),
        unlike=tuple(name for name in present if name not in taken),
        absent=tuple(name for name in nets if name not in state),
    )


def load_matching(
    nets: Mapping[str, nn.Module], state: NetState, keep: Collection[str] = ()
) -> Match:
    """Copy every net that fits into those of ``nets`` that are not in ``keep``."""
    wanted = {name: net for name, net in nets.items() if name not in keep}
    match = match_nets(wanted, state)
    for name in match.taken:
        nets[name].load_state_dict(state[name])
    return match


def fits(net: nn.Module, part: Mapping[str, Tensor]) -> bool:
    """Are names and shapes of ``part`` those of ``net``?"""
    wanted = {name: x.shape for name, x in net.state_dict().items()}
    return wanted == {name: x.shape for name, x in part.items()}
