"""Outputs that are not what their kind says are told, and nothing of them is written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_outputs import MESH, VALUES

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.outputs import KINDS, kind_of
from intrinsic_cli.kit.files.outputs import write_output


def test_records_are_json(tmp_path: Path) -> None:
    (path,) = write_output(tmp_path / "a", "light", KINDS["record"], VALUES["light"], "png").files
    assert json.loads(path.read_bytes().decode()) == {
        "coefficients": [[1.0] * 3] * 2,
        "angle": 0.5,
        "name": "Sonne ☀",
    }


class Circle(dict[str, Any]):
    """It holds itself."""

    def __init__(self) -> None:
        self["me"] = self


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"sun": {"angle": [1.0, float("nan")]}}, r"sun\.angle\[1\] is nan"),
        ({"sun": np.array([1, np.inf])}, r"sun\[1\] is inf"),
        ({"sun": {1, 2}}, "sun is a set"),
        ({"sun": b"1"}, "sun is a bytes"),
        ({3: "sun"}, "3 in it is no name"),
        ([1, 2], "it is a list, not a record"),
        (Circle(), "nested too deeply"),
    ],
)
def test_records_that_json_cannot_hold(tmp_path: Path, record: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words) as caught:
        write_output(tmp_path / "a", "light", KINDS["record"], record, "png")
    assert caught.value.message.startswith("record 'light': ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("texture", [np.zeros((3, 4))], r"texture 'texture': its shape is \(3, 4\)"),
        ("texture", [np.full((3, 4, 3), np.nan)], "not finite"),
        ("texture", np.zeros((3, 4, 3)), "is a ndarray, not a list"),
        ("turntable", [np.zeros((3, 4, 3))], r"not \[T,h,w,3\]"),
        ("turntable", [np.zeros((0, 3, 4, 3))], r"not \[T,h,w,3\]"),
        ("mesh", MESH, "is a Mesh, not a list"),
        ("mesh", [None], "mesh 'mesh': it is a NoneType"),
        ("mask", np.zeros((3, 4, 3), np.float32), "a mask has 1 channels"),
        ("albedo", np.zeros((3, 4), np.float32), r"has the shape \(3, 4\)"),
    ],
)
def test_what_is_not_of_its_kind_is_told(tmp_path: Path, name: str, value: Any, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        write_output(tmp_path / "a", name, kind_of(name), value, "png")
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")
    assert not list(tmp_path.iterdir())
