"""Photos changed in ways that leave their paint as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.crops import WHITE
from intrinsic_cli.kit.data.steady import Steady, open_steady
from intrinsic_cli.kit.light.changes import CHANGES, UNCHANGED, Change
from intrinsic_cli.registry import load_registry, open_dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one of them with a clipped and a transparent corner."""
    rng = np.random.default_rng(0)
    codes = rng.integers(20, 200, (21, 33, 4), np.uint8)
    codes[..., 3] = 255
    Image.fromarray(codes[..., :3]).save(tmp_path / "a.png")
    codes[:4, :5, 0] = 255
    codes[-3:, -2:, 3] = 0
    Image.fromarray(codes).save(tmp_path / "b.png")
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


def test_photo_by_photo_each_as_it_is_first(folder: Path) -> None:
    cases = Steady(folder).cases()
    assert len(cases) == 2 * len(CHANGES)
    found = [(case.facts["scene"], case.facts["change"].kind) for case in cases]
    expected = [(name, change.kind) for name in ("a.png", "b.png") for change in CHANGES]
    assert found == expected
    assert CHANGES[0] == UNCHANGED
    assert len({case.name for case in cases}) == len(cases)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.kind)
@pytest.mark.parametrize("size", [(20, 30), (21, 33)])
def test_what_was_moved_comes_back_to_its_place(change: Change, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).random((*size, 3)).astype(np.float32)
    back = change.moved_back(change.moved(picture))
    assert np.array_equal(back, change.cut(picture))
    changed = change.photo(picture)
    expected = np.minimum(change.moved(picture) * np.float32(change.gains), 1)
    assert changed.dtype == np.float32
    assert np.array_equal(changed, expected)


def test_turns_are_counter_clockwise_and_mirrors_swap_left_and_right() -> None:
    picture = np.arange(6).reshape(2, 3)
    assert Change("x", turns=1).moved(picture).tolist() == [[2, 5], [1, 4], [0, 3]]
    assert Change("x", mirrored=True).moved(picture).tolist() == [[2, 1, 0], [5, 4, 3]]


def test_quarters_make_up_the_photo() -> None:
    seen = np.zeros((21, 33), int)
    for change in CHANGES:
        if change.kind == "quarter":
            change.cut(seen)[...] += 1
    assert (seen == 1).all()


def test_masks_leave_out_what_clips_before_or_after(folder: Path) -> None:
    cases = {case.name: case for case in Steady(folder).cases()}
    whole = cases["b_00_unchanged"]
    assert not whole.mask[:4, :5].any()
    assert not whole.mask[-3:, -2:].any()
    assert whole.mask.sum() == whole.mask.size - 20 - 6
    brighter = next(case for name, case in cases.items() if name.startswith("a_") and "bri" in name)
    assert brighter.photo.max() == 1
    assert np.array_equal(brighter.mask, brighter.photo.max(axis=2) < WHITE)
    assert not brighter.mask.all()


def test_large_photos_are_reduced(tmp_path: Path) -> None:
    Image.new("RGB", (2048, 512), (90, 90, 90)).save(tmp_path / "large.png")
    assert Steady(tmp_path).cases()[0].photo.shape == (256, 1024, 3)


def test_it_is_no_data_to_train_on_and_needs_a_photo(folder: Path, tmp_path: Path) -> None:
    source = open_dataset(f"steady:{folder}", load_registry())
    with pytest.raises(DataError, match="for measuring only"):
        source.batches("train", 2, 8)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no photos"):
        open_steady(empty)
