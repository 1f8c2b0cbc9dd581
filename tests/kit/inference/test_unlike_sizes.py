"""Methods that take photos and regions of unlike sizes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from region_methods import CPU, Looks, photo
from torch import Tensor

from intrinsic_cli.api import PluginError, Region
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos

SMALL = Region((3, 4, 10, 12), label="face")
LARGE = Region((20, 10, 30, 24), 20.0, label="face")


class Mixes(Looks):
    """Keeps the sizes it gets at a time."""

    mixes_sizes = True

    def __init__(self, *regions: Region) -> None:
        super().__init__(*regions)
        self.batches: list[list[tuple[int, ...]]] = []

    def look_each(
        self, photos: Sequence[Tensor], regions: Sequence[Region | None]
    ) -> Sequence[Mapping[str, Tensor]]:
        self.batches.append([tuple(one.shape) for one in photos])
        assert list(regions) == [SMALL, LARGE] * (len(photos) // 2)
        return super().look_each(photos, regions)  # type: ignore[return-value]


def test_regions_of_unlike_sizes_come_together() -> None:
    photos = [photo(48, 64), photo(50, 70, seed=1)]
    decomposer = Mixes(SMALL, LARGE)
    together = decompose_photos(decomposer, photos, CPU)
    assert decomposer.batches == [[(1, 3, 12, 10), (1, 3, 24, 30)] * 2]
    for given, result in zip(photos, together, strict=True):
        alone = decompose_photo(Looks(SMALL, LARGE), given, CPU)
        for name, layer in alone.layers.items():
            np.testing.assert_array_equal(result.layers[name], layer, err_msg=name)


def test_an_answer_too_few_is_the_methods_fault() -> None:
    class Forgets(Mixes):
        def look_each(
            self, photos: Sequence[Tensor], regions: Sequence[Region | None]
        ) -> Sequence[Mapping[str, Tensor]]:
            return super().look_each(photos, regions)[1:]

    with pytest.raises(PluginError, match="1 answers for 2 photos"):
        decompose_photo(Forgets(SMALL, LARGE), photo(48, 64), CPU)
