"""Scores hang on code, options and weights: what is remembered of them, and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluated_methods import CALLS, REGISTRY

from intrinsic_cli.requests import EvaluateRequest
from intrinsic_cli.runs.evaluate.code import code_of
from intrinsic_cli.runs.evaluate.run import evaluate


def test_a_plugin_that_was_mended_is_scored_anew(
    lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case failed, its method was edited, and the same command is called again."""
    request = EvaluateRequest(("picky",), lab, cache=tmp_path / "t.cases.jsonl")
    asked: list[str] = []

    def edited(modules: object) -> dict[str, str]:
        asked.extend(modules)  # type: ignore[arg-type]  # names
        return {"evaluated_methods": "edited"}

    CALLS.clear()
    evaluate(request, registry=REGISTRY)
    monkeypatch.setattr("intrinsic_cli.runs.evaluate.rows.code_of", edited)
    evaluate(request, registry=REGISTRY)
    assert CALLS == ["apple", "box", "cup"] * 2
    assert "evaluated_methods" in asked, "the module of the method"
    assert any(name.startswith("intrinsic_cli.kit.score") for name in asked), "of the protocol"


def test_code_is_every_file_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "iid_edited" / "inner"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    for text in ("a = 1", "a = 2"):
        (package / "net.py").write_text(text)
        seen.append(code_of(["iid_edited.inner.net", "iid_edited"]))
    assert [*seen[0]] == ["iid_edited"]
    assert seen[0] != seen[1]
    (package / "net.pyc").write_text("no source")
    assert code_of(["iid_edited"]) == seen[1]


def test_code_of_one_file_and_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "iid_alone.py").write_text("a = 1")
    alone = code_of(["iid_alone", "iid_not_there"])
    assert alone["iid_alone"] != alone["iid_not_there"]


def test_a_report_tells_what_its_rows_were_made_by(lab: str) -> None:
    """Two files of scores that differ can be told apart by what is in them."""
    request = EvaluateRequest(("gray", "picky"), lab, options=("gray.gain=2",), seed=4)
    told = evaluate(request, registry=REGISTRY).made_by
    assert [*told] == ["gray", "picky"], "the constant answers need none"
    assert told["gray"]["options"] == told["gray"]["changed"] == {"gain": 2.0}
    assert told["picky"]["changed"] == {}
    assert (told["gray"]["seed"], told["gray"]["weights"]) == (4, None)
    assert told["gray"]["device"] != "auto"
    assert told["gray"]["precision"] != "auto"
