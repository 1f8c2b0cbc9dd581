"""Which photos are held out: a tenth by a hash of the names, the same on every machine and for
ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from intrinsic_cli.kit.data.sampling import endless_batches, shuffled_place, single_pass
from intrinsic_cli.kit.data.splits import hash_share, hold_out, notes_on_split, split_by_group

NAMES = [f"p{number}" for number in range(300)]


def test_the_hash_is_the_same_for_ever() -> None:
    assert hash_share("p0") == pytest.approx(0.0883080666502)
    assert [name for name in NAMES[:40] if hash_share(name) < 0.1] == [
        "p0",
        "p7",
        "p17",
        "p33",
        "p37",
    ]


def test_about_a_tenth_is_held_out_in_the_order_of_the_hash() -> None:
    held = hold_out(NAMES, str)
    assert 15 < len(held) < 45
    assert held == sorted(held, key=hash_share)
    assert set(hold_out(NAMES[:150], str)) <= set(held), "adding photos moves none"


@pytest.mark.parametrize("least", [1, 3, 8])
def test_there_is_always_the_least(least: int) -> None:
    few = [name for name in NAMES if hash_share(name) > 0.1][:9]
    assert hold_out(few, str, least) == sorted(few, key=hash_share)[:least]


def test_groups_are_not_torn_apart() -> None:
    entries = [(group, number) for group in range(12) for number in range(3)]
    split = split_by_group(entries, lambda entry: str(entry[0]))
    groups = {name: {group for group, _ in found} for name, found in split.items()}
    assert not groups["train"] & groups["val"]
    assert sorted(split["train"] + split["val"]) == entries


def test_a_single_group_serves_both_splits_and_it_is_said() -> None:
    split = split_by_group(["only"], str)
    assert split == {"train": ["only"], "val": ["only"]}
    assert notes_on_split("mine", split) == (
        "mine is too small to be split: what validates is also trained on",
    )


@pytest.mark.parametrize(("count", "told"), [(2, True), (9, True), (10, False)])
def test_few_photos_are_told_once(count: int, told: bool) -> None:
    entries: Sequence[int] = range(count)
    notes = notes_on_split("mine", {"train": entries[1:], "val": entries[:1]})
    assert bool(notes) is told
    assert not told or notes[0].startswith(f"only 1 of the {count} photos in mine are held out")


def test_many_photos_are_split_in_no_time() -> None:
    entries = [(str(number), Path("photo")) for number in range(20_000)]
    began = time.process_time()
    split = split_by_group(entries, lambda entry: entry[0])
    assert notes_on_split("mine", split) == ()
    assert time.process_time() - began < 2, "every photo was compared with every other"


def test_every_pass_shows_everything_once_in_a_fresh_order() -> None:
    shown = [shuffled_place(number, 7, 5) for number in range(21)]
    passes = [shown[first : first + 7] for first in (0, 7, 14)]
    assert all(sorted(one) == list(range(7)) for one in passes)
    assert passes[0] != passes[1] != passes[2]
    assert shown != [shuffled_place(number, 7, 6) for number in range(21)]


def test_batches_are_numbered_from_where_a_run_resumes() -> None:
    batches = endless_batches(3, start=2)
    assert [list(next(batches)) for _ in range(2)] == [[6, 7, 8], [9, 10, 11]]
    assert [list(places) for places in single_pass(5, 2)] == [[0, 1], [2, 3], [4]]
