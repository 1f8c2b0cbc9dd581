"""An unreadable case is one case less, not the end of the dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.data.readers import Reader


class Holed(Reader):
    name, protocol, offers = "holed", "folder", frozenset({"photo"})

    def __init__(self) -> None:
        self._entries = {"val": (1, 2, 3)}

    def _case(self, entry: Any) -> Case:
        if entry == 2:
            raise DataError("two is broken")
        return Case(str(entry), np.zeros((2, 2, 3), np.float32), {}, np.ones((2, 2), bool))


def test_the_cases_after_a_broken_one_are_still_read() -> None:
    cases = Holed().cases()
    assert next(cases).name == "1"
    with pytest.raises(DataError, match="two is broken"):
        next(cases)
    assert next(cases).name == "3"
