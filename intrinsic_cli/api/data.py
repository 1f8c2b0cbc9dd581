"""What a dataset gives: batches to train on, cases to measure with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from intrinsic_cli.api.errors import DataError
from intrinsic_cli.api.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.outputs import Image

#: Named tensors, float32, on the CPU (the house moves them to the device): ``photo`` [B,3,H,W],
#: ``albedo``, ``shading`` [B,3,H,W] linear, ``mask`` [B,1,H,W] 1 where truth holds, ``normals``
#: [B,3,H,W], ``keypoints`` [B,K,3], ``light`` [B,27]; see :data:`ROWS`.
Batch: TypeAlias = "Mapping[str, Tensor]"

Split: TypeAlias = Literal["train", "val"]
#: How the rows of a batch are stacked and mirrored: ``planes`` [C,H,W]; ``vectors``, planes whose x
#: turns round; ``points`` [K,3], x and y in -1..1 (right, down) and 1 where visible; ``light``, 27
#: coefficients of spherical harmonics: nine red, nine green, nine blue (x right, y up, z to the
#: viewer; order and scale: ``intrinsic_cli.kit.data.harmonics``); ``numbers``, which no mirror
#: changes.
Row = Literal["planes", "vectors", "points", "light", "numbers"]

#: The rows of keys that datasets share.
ROWS: Mapping[str, Row] = {
    **dict.fromkeys(("photo", "albedo", "shading", "residual", "depth"), "planes"),
    **dict.fromkeys(("transmission", "reflection", "flare"), "planes"),
    **dict.fromkeys(("mask", "silhouette"), "planes"),
    "normals": "vectors",
    "keypoints": "points",
    "light": "light",
}


@dataclass(slots=True)
class Case:
    """One photo with its truth.

    ``photo`` [H,W,3] linear; ``truth`` by output name, layers [H,W,C] linear; ``mask`` [H,W] bool,
    where truth holds. ``facts`` hold what else is known: keypoints, judgements, light.
    """

    name: str
    photo: Image
    truth: Mapping[str, Image]
    mask: Any
    facts: Mapping[str, Any] = field(default_factory=dict)


class Source(ABC):
    """An opened dataset.

    ``protocol`` names how it is scored (``mit``, ``arap-f``, ``synth``), ``offers`` the keys of its
    batches, ``rows`` the kinds of those that :data:`ROWS` does not know. ``paired`` is False for
    photos and layers that do not belong together, which have no cases. ``notes`` are sentences the
    user should read before trusting it: that it is too small to be split. ``cases_of_photo`` is how
    many cases, one after the other, are one photo: only together can they be scored.
    """

    name: str
    protocol: str
    offers: frozenset[str]
    paired: bool = True
    rows: Mapping[str, Row] = {}
    notes: Sequence[str] = ()
    cases_of_photo: int = 1

    @abstractmethod
    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """Batches of ``size`` crops. ``train`` never ends and its n-th batch depends on ``(seed,
        n)`` alone, so that a resumed run (``start=n``) sees what an uninterrupted one would;
        ``val`` is finite and always the same."""

    @abstractmethod
    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Full-size photos with truth, in a fixed order: a length at once, each read on access.
        DataError where there is no such split."""

    def check_files(self, progress: Progress) -> None:
        """What is asked once before a training begins: DataError where files do not fit together,
        as far as a quick look at all of them tells. Nothing is looked at by default."""
        return

    def part(self, index: int, count: int) -> Source:
        """The ``index``-th of ``count`` parts of the dataset (of both splits) that have no photo in
        common. DataError where it cannot be divided."""
        hint = "give unpaired:FOLDER or synth"
        raise DataError(f"{self.name} cannot be divided into parts", hint)

    def under_two_lights(self) -> Source:
        """The same dataset, whose training batches hold every crop twice, one right after the
        other: the same paint and objects under another light, seen by another camera. Half as many
        crops fill a batch then; of an odd size the last one stands alone. DataError where there is
        but one light."""
        hint = "give synth, or leave out what compares two lights"
        raise DataError(f"{self.name} shows every scene under one light", hint)

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many there are of what: ``{"photo": 12}``; where layers do not belong together, a
        count of each."""
        return {"photo": len(self.cases(split))}
