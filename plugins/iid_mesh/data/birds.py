"""Made-up birds as a dataset: an endless stream of pictures, and as many to measure with as
needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from iid_mesh.data.portrait import portrait
from intrinsic_cli.api import Case, Source
from intrinsic_cli.kit.data.readers import LazyCases
from intrinsic_cli.kit.data.rows import collate
from intrinsic_cli.kit.data.sampling import endless_batches, single_pass

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Row, Split
    from intrinsic_cli.kit.data.rows import Sample

#: Kinds of the keys that only pictures of meshes have.
ROWS: Mapping[str, Row] = {
    "parts": "planes",
    "zones": "planes",
    "cameras": "numbers",
    "vertices": "numbers",
}
#: The layers of a case that its answers are compared with.
TRUTH = ("albedo", "shading", "silhouette")
#: What else is known of a case than its pictures.
FACTS = ("cameras", "vertices", "keypoints")
#: The side of the photos that are measured with.
CASE = 128
_COUNT = 96  # birds of the validation split
_TRAIN, _VAL = 0, 1  # in the seeds of the splits


class Birds(Source):
    """Birds that never were. Their truth (``cameras``, ``vertices``, ``keypoints``) is for
    measuring; silhouettes and parts are what methods learn from."""

    name = "birds"
    protocol = "meshes"
    offers = frozenset(
        {"photo", "albedo", "shading", "mask", "silhouette", "parts", "keypoints"}
        | {"zones", "cameras", "vertices"}
    )
    rows = ROWS

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`Source.batches`. No bird comes twice; those of ``val`` fill the crop alike."""
        if split == "val":
            for places in single_pass(_COUNT, size):
                yield collate([_held_out(place, crop) for place in places], self.rows)
            return
        for numbers in endless_batches(size, start):
            yield collate([self.drawn(seed, number, crop) for number in numbers], self.rows)

    @staticmethod
    def drawn(seed: int, number: int, side: int) -> Sample:
        """The ``number``-th bird of the endless stream of ``seed``."""
        return portrait(side, np.random.default_rng((_TRAIN, seed, number)))

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Birds of the split, always the same."""
        return LazyCases(range(_COUNT), lambda place: _case(split, place))

    def counts(self, split: Split) -> Mapping[str, int]:
        """How many there are to measure with; training never runs out of them."""
        return {"photo": _COUNT}


def _held_out(place: int, side: int) -> Sample:
    return portrait(side, np.random.default_rng((_VAL, place)), jitter=False)


def case_of(name: str, made: Sample) -> Case:
    """A picture with its truth as a case to measure with."""
    truth = {key: made[key] for key in TRUTH}
    facts = {key: made[key] for key in FACTS if key in made}
    return Case(
        name=name,
        photo=made["photo"],
        truth=truth,
        mask=made["mask"][..., 0] > 0.5,
        facts=facts,
    )


def _case(split: Split, place: int) -> Case:
    name = f"bird{place:03d}"
    if split == "val":
        return case_of(name, _held_out(place, CASE))
    return case_of(name, Birds.drawn(0, place, CASE))
