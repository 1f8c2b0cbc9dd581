"""An unreadable case is one case less, not the end of the dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.readers import FileReader, all_cases
from intrinsic_cli.kit.data.synth.scenes import open_synth


class Holed(FileReader[int]):
    name, protocol, offers = "holed", "folder", frozenset({"photo"})

    def __init__(self) -> None:
        self._entries = {"val": (1, 2, 3)}

    def batches(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def _case(self, entry: int) -> Case:
        if entry == 2:
            raise DataError("two is broken")
        return Case(str(entry), np.zeros((2, 2, 3), np.float32), {}, np.ones((2, 2), bool))


class Unpaired(Holed):
    """Has no cases at all."""

    def __init__(self) -> None:
        self._entries = {}

    def every_case(self) -> Any:
        return self.cases()

    def cases(self, split: Any = "val") -> Any:
        raise DataError("it can only be trained on")


def test_the_cases_after_a_broken_one_are_still_read() -> None:
    cases = Holed().cases()
    assert len(cases) == 3
    assert cases[0].name == "1"
    with pytest.raises(DataError, match="two is broken"):
        cases[1]
    assert cases[2].name == "3"
    assert [case.name for case in cases[2:]] == ["3"]


def test_a_missing_split_is_told_with_those_there_are() -> None:
    with pytest.raises(DataError, match="holed has no 'train' split here") as told:
        Holed().cases("train")
    assert told.value.hint == "there is: val"
    assert Holed().counts("train") == {"photo": 0}


def test_all_cases_are_those_of_both_splits_each_once() -> None:
    both = Holed()
    both._entries = {"val": (3, 4), "train": (1, 3, 5)}
    assert sorted(case.name for case in all_cases(both)) == ["1", "3", "4", "5"]
    assert [case.name for case in all_cases(both.part(1, 2))] == ["3", "4"]


def test_all_cases_of_scenes_and_of_data_with_one_split() -> None:
    assert len(all_cases(open_synth())) == 50
    assert len(all_cases(Holed())) == 3
    with pytest.raises(DataError, match="can only be trained on"):
        all_cases(Unpaired())
