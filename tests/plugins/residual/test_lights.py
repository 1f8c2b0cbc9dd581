"""Lights in files: what is written of them, and what is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from iid_residual.harmonics import towards
from iid_residual.lights import light_of, light_record, read_light
from iid_residual.relight import lamp
from intrinsic_cli.api import UsageError


def _own() -> torch.Tensor:
    own = torch.zeros(1, 27)
    own[0, [0, 9, 18]] = torch.tensor([1.0, 0.8, 0.6])
    own[0, [1, 10, 19]] = 0.3
    return own


def test_records_say_where_the_light_comes_from() -> None:
    record = light_record(_own())[0]
    assert record["direction"] == {"azimuth": 0.0, "elevation": 0.0}
    assert len(record["sh"]) == 27
    assert "x right, y up" in record["order"]
    assert 0 < record["focus"] < 1
    assert json.dumps(record)


@pytest.mark.parametrize(
    ("angles", "told"),
    [((0, 0), (0, 0)), ((90, 0), (90, 0)), ((-45, 30), (-45, 30)), ((0, -60), (0, -60))],
)
def test_azimuth_is_the_pictures_right_and_elevation_above(angles: Any, told: Any) -> None:
    direction = light_record(lamp(_own(), towards(*angles)))[0]["direction"]
    assert (direction["azimuth"], direction["elevation"]) == pytest.approx(told, abs=0.02)


def test_the_coefficients_are_the_houses() -> None:
    """Red first; the second is what comes from above, the third from the camera, the fourth from
    the right."""
    for angles, place in (((0, 90), 1), ((0, 0), 2), ((90, 0), 3)):
        coefficients = light_record(lamp(_own(), towards(*angles)))[0]["sh"]
        first_order = coefficients[1:4]
        assert max(range(3), key=lambda i: first_order[i]) == place - 1
        assert coefficients[place] > 0


def test_a_light_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.light.json"
    path.write_text(json.dumps({"faces": [{"box": [0, 0, 9, 9], **light_record(_own())[0]}]}))
    assert read_light(path).allclose(_own()[0], atol=1e-5)
    path.write_text(json.dumps(light_record(_own())[0]))
    assert read_light(path).allclose(_own()[0], atol=1e-5)


_SHORT = {"faces": [{"sh": [1, 2]}]}
_WORDS = {"faces": [{"sh": ["bright"] * 27}]}


@pytest.mark.parametrize("record", [{}, [], {"faces": []}, {"faces": 3}, _SHORT, _WORDS])
def test_a_file_without_light_is_refused(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record))
    with pytest.raises(UsageError, match="no light"):
        read_light(path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.light.json"
    with pytest.raises(UsageError, match=r"none\.light\.json: no such file") as caught:
        read_light(path)
    assert "Errno" not in caught.value.message
    path.write_text("{")
    with pytest.raises(UsageError, match="is no record of a light"):
        read_light(path)
    assert light_of("nothing") is None
