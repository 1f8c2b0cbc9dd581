"""A thousand files that were damaged by chance: whatever they are, the answer is a photo or a
DataError; and files of iid's own, which are read or refused.

``IID_FUZZ=10000`` tries so many of each format; seeds are fixed, so that a failure can be repeated.
(``tests/bench/bench_damaged_files.py`` tries as many as time allows.)
"""

from __future__ import annotations

import os

import pytest
from damage import REAL, damage, outcome, seeds
from damaged_records import ODD, damage_record, record_outcome, records

from intrinsic_cli.kit.files.photo import read_photo

COUNT = int(os.environ.get("IID_FUZZ", "36"))


@pytest.mark.parametrize("form", seeds())
def test_only_data_errors_come_out(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = seeds()[form]
    assert sorted(read_photo(data).pixels.shape) == sorted(REAL.shape)
    for seed in range(COUNT):
        assert outcome(damage(data, seed)) in ("photo", ""), f"{form}, seed {seed}"
    assert capfd.readouterr().out == "", "stdout is for results"


@pytest.mark.parametrize("form", records())
def test_records_are_read_or_refused(form: str) -> None:
    data = records()[form]
    assert record_outcome(form, data) == "read"
    outcomes = set()
    for seed in range(2 * COUNT):
        found = record_outcome(form, damage_record(form, data, seed))
        assert found in ("read", ""), f"{form}, seed {seed}: {found}"
        outcomes.add(found)
    assert outcomes == {"read", ""}, "some are damaged, some not badly"


def test_a_seed_makes_the_same_file_whatever_came_before() -> None:
    """Seeds by which odd values were once put into each other, until JSON could not hold them."""
    data, before = records()["sidecar"], repr(ODD)
    for seed in range(305000, 305041):
        damage_record("sidecar", data, seed)
    assert repr(ODD) == before


def test_there_are_a_thousand_of_them() -> None:
    assert COUNT * len(seeds()) >= 900 or "IID_FUZZ" in os.environ
