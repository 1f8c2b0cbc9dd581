"""Layers of one dataset drawn as if they did not belong together: no photo ever meets its own
albedo or shading."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.api import Case, DataError, Source
from intrinsic_cli.kit.data.readers import TrainingReader
from intrinsic_cli.kit.data.reflection.mixtures import open_reflection
from intrinsic_cli.kit.data.unpaired.parts import require_unpaired, unpaired
from intrinsic_cli.kit.files.opencv import cv2

NAMES = ("photo", "albedo", "shading")
SIDE = 12


class Tagged(TrainingReader[int]):
    """Photo ``k`` and its layers have the value 0.1 + k/100 everywhere; their masks leave out the
    first k % 5 rows."""

    name, protocol, offers = "tagged", "folder", frozenset({*NAMES, "mask"})

    def __init__(self, train: int = 31, val: int = 14) -> None:
        self._entries = {"train": range(train), "val": range(train, train + val)}

    def _case(self, entry: int) -> Case:
        plane = np.full((SIDE, SIDE, 3), 0.1 + entry / 100, np.float32)
        mask = np.ones((SIDE, SIDE), bool)
        mask[: entry % 5] = False
        return Case(str(entry), plane, {"albedo": plane, "shading": plane}, mask)


def tags(layer: Tensor) -> list[int]:
    """Which photos the layers [B,3,S,S] belong to."""
    return [round((x - 0.1) * 100) for x in layer.mean((1, 2, 3)).tolist()]


def draw(split: Any = "train", count: int = 40, **more: int) -> Iterator[Any]:
    return islice(unpaired(Tagged(), NAMES, split, 4, SIDE, **more), count)


@pytest.mark.parametrize("seed", [0, 1, 7919])
def test_no_layer_of_a_photo_is_ever_seen_beside_it(seed: int) -> None:
    seen: dict[str, set[int]] = {name: set() for name in NAMES}
    for batch in draw(seed=seed):
        for name in NAMES:
            seen[name] |= set(tags(batch[name]))
    assert not seen["photo"] & seen["albedo"]
    assert not seen["photo"] & seen["shading"]
    assert not seen["albedo"] & seen["shading"]
    assert set.union(*seen.values()) == set(range(31)), "and nothing is wasted"


def test_training_never_sees_the_truth_of_a_photo() -> None:
    wanted = {*NAMES, *(f"{name}_mask" for name in NAMES)}
    assert all(batch.keys() == wanted for batch in draw(count=3))


def test_layers_meet_in_ever_new_ways() -> None:
    pairs = [
        pair
        for batch in draw(count=60)
        for pair in zip(tags(batch["photo"]), tags(batch["albedo"]), strict=True)
    ]
    assert len(set(pairs)) > 3 * 11  # eleven photos; a fixed pairing would know eleven pairs


def test_validation_knows_the_truth_of_its_photos() -> None:
    batches = list(draw("val"))
    assert sum(len(batch["photo"]) for batch in batches) == 4  # of 14 in three parts
    for batch in batches:
        assert tags(batch["photo"]) == tags(batch["true albedo"]) == tags(batch["true shading"])
        assert not set(tags(batch["photo"])) & set(tags(batch["albedo"]) + tags(batch["shading"]))
        assert {len(x) for x in batch.values()} == {len(batch["photo"])}


def test_every_layer_has_the_mask_of_its_own_photo() -> None:
    for batch in draw("val"):
        for name in NAMES:
            left_out = SIDE - batch[f"{name}_mask"][:, 0, :, 0].sum(1)
            assert left_out.tolist() == [tag % 5 for tag in tags(batch[name])]


def test_batches_depend_on_seed_and_number_alone() -> None:
    whole = list(draw(count=9, seed=5))
    for start in (0, 1, 6):
        for batch, again in zip(
            whole[start:], draw(count=9 - start, seed=5, start=start), strict=True
        ):
            assert all(torch.equal(batch[name], again[name]) for name in batch)
    other = next(draw(seed=6))
    assert any(not torch.equal(whole[0][name], other[name]) for name in NAMES)
    first, again = list(draw("val", seed=1)), list(draw("val", seed=2))
    assert all(
        torch.equal(a[name], b[name]) for a, b in zip(first, again, strict=True) for name in a
    )


@pytest.mark.parametrize(
    ("sizes", "purpose"), [((2, 9), "2 photos to train on"), ((9, 2), "2 photos to validate with")]
)
def test_a_dataset_too_small_to_be_cut_is_told_at_once(
    sizes: tuple[int, int], purpose: str
) -> None:
    with pytest.raises(DataError, match=purpose) as caught:
        unpaired(Tagged(*sizes), NAMES, "train", 1, SIDE)
    assert "unpaired:FOLDER" in caught.value.hint
    require_unpaired(Tagged(3, 3))


def test_a_dataset_that_cannot_be_cut_is_told() -> None:
    class Whole(Tagged):
        name = "whole"

        def part(self, index: int, count: int) -> Any:
            return Source.part(self, index, count)

    with pytest.raises(DataError, match="whole cannot be divided into parts"):
        require_unpaired(Whole())


def test_mixtures_of_too_few_photos_are_told_before_they_are_trained_on(tmp_path: Path) -> None:
    for number in range(11):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((9, 9, 3), 9 * number, np.uint8))
    with pytest.raises(DataError, match="too few for 3 parts of mixtures") as told:
        require_unpaired(open_reflection(tmp_path), 3)
    assert "bring at least 12" in told.value.hint
    cv2.imwrite(str(tmp_path / "more.png"), np.zeros((9, 9, 3), np.uint8))
    require_unpaired(open_reflection(tmp_path), 3)
