"""Faces of any size as a network sees them: small copies, those of one size in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from iid_residual.domain import Domain
from iid_residual.networks.pipe import Prediction
from intrinsic_cli.kit.light.upsample import size_of


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A ``photo`` [B,3,H,W] and its ``small`` copy in the numbers of ``domain``. The square of the
    face is a ``share`` of the photo's shorter side; None: the photo is such a square."""

    photo: Tensor
    share: float | None
    small: Tensor
    domain: Domain

    @property
    def seen(self) -> Tensor:
        """What the network is given."""
        return self.domain.seen(self.small)


def seen_together(
    network: Callable[[Tensor], Prediction], pictures: Sequence[Tensor]
) -> list[Prediction]:
    """What a network says of each of ``pictures`` [1,3,h,w]; those of one size go through it
    together."""
    made: dict[int, Prediction] = {}
    for places in _by_size(pictures):
        batch = torch.cat([pictures[place] for place in places])
        several = network(batch)
        for number, place in enumerate(places):
            made[place] = nth(several, number)
    return [made[place] for place in range(len(pictures))]


def nth(made: Prediction, number: int) -> Prediction:
    """What was said of one photo of a batch, as of a batch of one."""
    mine = slice(number, number + 1)
    return Prediction(
        normals=made.normals[mine],
        albedo=made.albedo[mine],
        light=_maybe(made.light, mine),
        harmonic=_maybe(made.harmonic, mine),
        residual=_maybe(made.residual, mine),
        shading=made.shading[mine],
        rebuilt=made.rebuilt[mine],
        darker=_maybe(made.darker, mine),
        outline=_maybe(made.outline, mine),
    )


def _maybe(x: Tensor | None, mine: slice) -> Tensor | None:
    return None if x is None else x[mine]


def _by_size(pictures: Sequence[Tensor]) -> list[list[int]]:
    """The places of pictures, those of one size together."""
    sizes: dict[tuple[int, int], list[int]] = {}
    for place, picture in enumerate(pictures):
        same = sizes.setdefault(size_of(picture), [])
        same.append(place)
    return list(sizes.values())
