"""What a dataset gives: batches to train on, cases to measure with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.layers import Image

    #: Named tensors [B,C,H,W], float32: ``photo``, ``albedo``, ``shading`` linear, ``mask`` 1 where truth holds.
    Batch = Mapping[str, Tensor]

Split = Literal["train", "val"]


@dataclass(slots=True)
class Case:
    """One photo with its truth. ``photo`` [H,W,3] linear; ``truth`` by layer name [H,W,C] linear; ``mask`` [H,W] bool.

    ``protocol`` names how datasets of this kind are scored (``mit``, ``arap-f``, ``synth``).
    """

    name: str
    photo: Image
    truth: Mapping[str, Image]
    mask: Any
    facts: Mapping[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """An opened dataset."""

    name: str
    protocol: str
    offers: frozenset[str]

    def batches(self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0) -> Iterator[Batch]:
        """Batches of ``size`` crops. ``train`` never ends and its n-th batch depends on ``(seed, n)`` alone, so that
        a resumed run (``start=n``) sees what an uninterrupted one would; ``val`` is finite and always the same."""
        ...

    def part(self, index: int, count: int) -> Source:
        """The ``index``-th of ``count`` parts of the dataset (of both splits) that have no photo in common."""
        ...

    def cases(self, split: Split = "val", limit: int | None = None) -> Iterator[Case]:
        """Full-size photos with truth, in a fixed order."""
        ...
