"""JSON that every reader takes."""

from __future__ import annotations

import json

from intrinsic_cli.kit.files.json_text import as_json


def test_numbers_that_json_does_not_know_are_null() -> None:
    infinite, none = float("inf"), float("nan")
    text = as_json({"rmse": none, "scores": [1.5, -infinite], "name": "NaN"})
    assert text == '{"rmse": null, "scores": [1.5, null], "name": "NaN"}'


def test_names_that_are_no_utf_8_are_read_back() -> None:
    name = b"\xff.jpg".decode("utf-8", "surrogateescape")
    text = as_json([name])
    assert json.loads(text.encode("utf-8")) == [name]
