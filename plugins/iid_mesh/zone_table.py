"""Which zones of the object vertices of the template belong to, counted in photos."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from iid_mesh.data.landmarks import PARTS
from iid_mesh.data.zones import ZONES
from iid_mesh.template import icosphere
from intrinsic_cli.api import Source

#: Counts of a zone that every vertex has from the start.
_UNSEEN = 1e-3


class ZoneTable(nn.Module):
    """``counts`` [642,K] of the zones that photos showed at vertices."""

    counts: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        vertices = len(icosphere().vertices)
        self.register_buffer("counts", torch.full((vertices, count), _UNSEEN))

    def count(self, found: Tensor) -> None:
        """Take in the counts [642,K] of some photos; mirrored vertices have equal zones."""
        self.counts += found + found[icosphere().mirror.to(found.device)]

    def shares(self) -> Tensor:
        """The probabilities of zones at vertices [642,K]. Small zones have a vertex of their own
        before large ones have a second: counts are weighed against each other by the roots of what
        each zone has in all."""
        weighed = self.counts / self.counts.sum(0).sqrt()
        sharp = weighed.square()
        return sharp / sharp.sum(1, keepdim=True)


def zones_of(source: Source) -> int:
    """How many zones a dataset tells apart: its own, or parts, or nothing but the object."""
    if "zones" in source.offers:
        return len(ZONES)
    return len(PARTS) if "parts" in source.offers else 1
