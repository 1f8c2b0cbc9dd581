"""Methods hear which regions they look at, and have the last word on the whole photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from region_methods import CPU, Looks, photo
from torch import Tensor

from intrinsic_cli.api import DataError, Decomposition, Region
from intrinsic_cli.kit.inference.pipeline import decompose_photo, try_photos


class Listens(Looks):
    """Keeps what it hears."""

    def __init__(self, *regions: Region) -> None:
        super().__init__(*regions)
        self.heard: list[tuple[tuple[int, ...], Region | None]] = []

    def look(self, photos: Tensor, regions: Sequence[Region | None]) -> Mapping[str, Tensor]:
        sizes = [tuple(one.shape[1:]) for one in photos]
        self.heard += zip(sizes, regions, strict=True)
        answer: Mapping[str, Tensor] = self(photos)  # type: ignore[assignment]
        return answer


class Signs(Looks):
    """Adds a layer of the whole photo, unless it is too small."""

    def finished(self, result: Decomposition) -> Decomposition:
        if result.photo.shape[0] < 40:
            raise DataError("too small to sign")
        return replace(result, layers={**result.layers, "relit": result.photo * 2})


def test_the_network_hears_which_regions_it_is_shown() -> None:
    small, large = Region((3, 4, 10, 12), label="face"), Region((20, 10, 30, 24), 20.0)
    decomposer = Listens(small, large)
    decompose_photo(decomposer, photo(48, 64), CPU)
    assert decomposer.heard == [((12, 10), small), ((24, 30), large)]


def test_a_photo_looked_at_whole_has_no_region() -> None:
    decomposer = Listens()
    decomposer.found = None
    decompose_photo(decomposer, photo(48, 64), CPU)
    assert decomposer.heard == [((48, 64), None)]


def test_outputs_of_the_whole_photo_are_added_last() -> None:
    given = photo(48, 64)
    result = decompose_photo(Signs(Region((3, 4, 10, 12))), given, CPU)
    assert np.array_equal(result.layers["relit"], given.pixels * 2)
    assert "albedo" in result.layers


def test_what_goes_wrong_then_is_that_photos_own_trouble() -> None:
    decomposer = Signs(Region((3, 4, 10, 12)))
    good, bad = try_photos(decomposer, [photo(48, 64), photo(20, 30)], CPU)
    assert isinstance(good, Decomposition)
    assert isinstance(bad, DataError)
