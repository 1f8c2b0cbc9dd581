"""Pairs of photos of one paint: rows 0 and 1 of a batch, rows 2 and 3, and so on.

The second photo of a pair may show a part of the first, enlarged and turned: what a quarter of a
photo shows is still the same paint."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch

_SMALLEST = 0.5  # of a crop's side
_WHOLE = 0.99  # an enlarged mask holds where it has more than this
_KEYS = ("photo", "albedo", "shading", "residual", "mask")


class Part(NamedTuple):
    """A square of a crop, in pixels, and by how many right angles it is turned to the left."""

    top: int
    left: int
    size: int
    turns: int

    def of(self, planes: Tensor) -> Tensor:
        """Of [B,C,S,S] what the part shows, as large as the whole."""
        side = planes.shape[-1]
        rows = planes.narrow(2, self.top, self.size)
        square = rows.narrow(3, self.left, self.size)
        enlarged = functional.interpolate(square, (side, side), mode="bilinear")
        return torch.rot90(enlarged, self.turns, (2, 3))


def random_part(side: int) -> Part:
    """Of a crop of ``side``, drawn from torch's own random numbers."""
    smallest = round(side * _SMALLEST)
    size = _below(side - smallest + 1) + smallest
    rest = side - size + 1
    return Part(_below(rest), _below(rest), size, _below(4))


def split(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the second rows of all pairs; a last row without a second is left out."""
    paired = len(rows) // 2 * 2
    return rows[0:paired:2], rows[1:paired:2]


def with_parts(batch: Batch, part: Part) -> dict[str, Tensor]:
    """The batch, its second photos cut to ``part``: photo, layers and mask alone."""
    changed = {key: batch[key].clone() for key in _KEYS if key in batch}
    for rows in changed.values():
        rows[1::2] = part.of(rows[1::2])
    changed["mask"] = _known(changed["mask"])
    return changed


def known_in_both(mask: Tensor, part: Part | None) -> Tensor:
    """Where the truth of both photos of a pair holds, as the second shows it: the masks [B,1,H,W]
    of a batch → [B//2,1,H,W]."""
    first, second = split(mask)
    if part:
        first = _known(part.of(first))
    return first * second


def _known(mask: Tensor) -> Tensor:
    return (mask > _WHOLE).to(mask.dtype)


def _below(count: int) -> int:
    return int(torch.randint(count, ()))
