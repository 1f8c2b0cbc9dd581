"""Every reader that trains can be cut into parts that have nothing in common."""

from __future__ import annotations

from itertools import chain, combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api.data import Split
from intrinsic_cli.kit.data.folder import open_folder
from intrinsic_cli.kit.data.synth.scenes import Synth, open_synth
from intrinsic_cli.kit.data.unpaired.folders import open_unpaired
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.testing_source import Tiny

SPLITS: tuple[Split, ...] = ("train", "val")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy photos with layers, each of a gray of its own."""
    place = tmp_path_factory.mktemp("photos")
    for name in ("photo", "albedo", "shading"):
        (place / name).mkdir()
        for number in range(70):
            cv2.imwrite(
                str(place / name / f"{number}.png"), np.full((4, 4, 3), 50 + number, np.uint8)
            )
    return place


def names(source: Any, split: Any) -> list[str]:
    """Which photos a source has in a split; those of shards are told by their index, decoding all
    takes a minute."""
    if isinstance(source, Synth):
        return [f"{tar}/{key}" for tar, key, _ in source._open(split)._places]
    return [case.name for case in source.cases(split)]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("reader", ["synth", "folder"])
def test_parts_are_disjoint_and_together_everything(
    reader: str, split: str, count: int, photos: Path
) -> None:
    source: Any = open_synth() if reader == "synth" else open_folder(photos)
    whole = names(source, split)
    parts = [names(source.part(index, count), split) for index in range(count)]
    assert all(parts)
    assert sorted(chain(*parts)) == sorted(whole)
    assert len(set(whole)) == len(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    inner = [names(source.part(1, count).part(index, 2), split) for index in range(2)]
    assert sorted(chain(*inner)) == sorted(parts[1]), "a part is cut like the whole"
    assert names(source, split) == whole, "cutting leaves the whole as it is"


def pixels(source: Any) -> set[bytes]:
    """What a source shows, by its pixels."""
    shown = [
        row
        for s in SPLITS
        for batch in islice(source.batches(s, 2, 8), 4)
        for row in batch["photo"].numpy()
    ]
    return {
        x.tobytes() for x in (*shown, *(case.photo for s in SPLITS for case in source.cases(s)))
    }


def test_parts_of_the_little_scenes_are_other_scenes() -> None:
    parts = [Tiny().part(index, 3) for index in range(3)]
    parts += [parts[0].part(0, 3), parts[0].part(1, 3), parts[2].part(2, 3)]
    for one, other in combinations(map(pixels, parts), 2):
        assert len(one) > 8
        assert not one & other


@pytest.mark.parametrize("reader", [open_folder, open_unpaired])
def test_a_part_trains_on_its_own_photos_alone(reader: Any, photos: Path) -> None:
    opened = reader(photos)
    seen = [
        {
            round(float(x), 6)
            for batch in islice(opened.part(i, 3).batches(split, 5, 4), 12)
            for x in batch["photo"].mean((1, 2, 3))
        }
        for i in range(3)
        for split in SPLITS
    ]
    assert all(not one & other for one, other in combinations(seen, 2))
    # Validation of unpaired folders stops with the smallest, so a part may show fewer than it has.
    assert len(set.union(*seen)) in ((70,) if reader is open_folder else range(60, 71))


def test_shards_are_trained_on_part_by_part() -> None:
    keys = [{key.split("/")[-1] for key in names(open_synth().part(i, 3), "val")} for i in range(3)]
    shown = [{case.name for case in open_synth().part(i, 3).cases("val")} for i in range(3)]
    assert shown == keys


def test_unpaired_folders_are_cut_one_by_one(photos: Path) -> None:
    source = open_unpaired(photos)
    for split in SPLITS:
        parts = [source.part(i, 3).counts(split) for i in range(3)]
        for name, count in source.counts(split).items():
            assert sum(part[name] for part in parts) == count
