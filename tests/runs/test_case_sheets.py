"""Which cases of an evaluation are drawn, and how bright."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api import Case
from intrinsic_cli.kit.files import contact_sheet
from intrinsic_cli.runs.evaluate.case_sheets import CaseSheets

#: Name → error, in the order in which they come.
ERRORS = {"a": 0.5, "b": 0.1, "c": 0.9, "d": 0.3, "e": 0.7}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was laid out, sheet by sheet: the worst, then the best."""
    sheets = []

    def lay_out(rows: Any, columns: Any, titles: Any) -> Any:
        sheets.append({"rows": rows, "columns": columns, "titles": titles})
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(contact_sheet, "contact_sheet", lay_out)
    return sheets


def case(name: str = "one", value: float = 0.25) -> Case:
    photo = np.full((10, 10, 3), value, np.float32)
    return Case(name, photo, {"shading": photo * 2}, np.ones((10, 10), bool))


def test_the_worst_and_the_best_are_kept(tmp_path: Path, drawn: list[dict[str, Any]]) -> None:
    sheets = CaseSheets(size=2)
    for name, error in ERRORS.items():
        assert sheets.wants(error)
        sheets.add(case(name), {}, f"{error}", error)
    paths = sheets.write(tmp_path, "flow:albedo16")
    assert [path.name for path in paths] == ["flow-albedo16.worst.png", "flow-albedo16.best.png"]
    assert [sheet["titles"] for sheet in drawn] == [["c   0.9", "e   0.7"], ["b   0.1", "d   0.3"]]
    assert [sheets.wants(error) for error in (0.2, 0.5, 0.8)] == [True, False, True]


def test_factors_are_brought_to_white_inside_the_mask(
    tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    given = case()
    given.mask[:5] = False
    answer = {name: np.full((10, 10, 3), 0.125, np.float32) for name in ("shading", "reflection")}
    for layer in answer.values():
        layer[:5] = 40
    normals = np.full((10, 10, 3), (-1, 0, 1), np.float32)
    sheets = CaseSheets(("shading", "reflection", "normals"))
    sheets.add(given, {**answer, "normals": normals}, "", 0.0)
    sheets.write(tmp_path, "flow")
    sheet = drawn[0]
    assert sheet["columns"][:4] == ("photo", "shading", "reflection", "normals")
    photo, shading, reflection, vectors, *true = sheet["rows"][0]
    assert np.allclose(photo, 0.25)
    assert np.allclose(shading[5:], 1)
    assert np.allclose(reflection[5:], 0.125), "light keeps its brightness"
    assert np.allclose(vectors, (0, 0.5, 1))
    assert np.allclose(true[0], 1), "the truth too"
