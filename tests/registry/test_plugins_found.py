"""Entry points become methods; what is broken is named and does no harm."""

from __future__ import annotations

from typing import Any

import pytest
from made_up_plugins import Point, plugin, spec

from intrinsic_cli.api import DatasetSpec, ProtocolSpec, hookimpl
from intrinsic_cli.registry import load_registry


def test_the_foreign_plugin_is_found_and_the_broken_one_named() -> None:
    found = load_registry()
    assert found.origins["gray"] == "iid-gray (iid_gray)"
    assert found.broken["broken"] == "RuntimeError: this plugin was made to fail"
    assert list(found.methods) == sorted(found.methods)
    assert {"synth", "mit", "arap", "folder"} <= found.datasets.keys()


def test_one_broken_plugin_does_not_hide_another(installed: Any) -> None:
    found = installed(
        Point("a", ImportError("no module"), "a"),
        Point("b", SystemExit("bye"), "b"),
        Point("c", plugin(spec("toy")), "c"),
    )
    assert list(found.methods) == ["toy"]
    assert found.broken == {"a": "ImportError: no module", "b": "SystemExit: bye"}


def test_a_taken_method_name_is_an_error_that_names_both(installed: Any) -> None:
    found = installed(
        Point("b", plugin(spec("toy"), spec("mine")), "beta"),
        Point("a", plugin(spec("toy")), "alpha"),
    )
    assert found.origins == {"mine": "beta (b_module)", "toy": "alpha (a_module)"}
    assert "alpha (a_module)" in found.broken["b"]
    assert "beta (b_module)" in found.broken["b"]


def test_nobody_takes_the_name_of_a_built_in_method(installed: Any) -> None:
    found = installed(
        Point("a", plugin(spec("flow")), "a"), Point("z", plugin(spec("flow")), "intrinsic-cli")
    )
    assert found.origins["flow"].startswith("intrinsic-cli")
    assert list(found.broken) == ["a"]


def test_two_plugins_may_share_an_entry_point_name(installed: Any) -> None:
    found = installed(Point("x", plugin(spec("one")), "a"), Point("x", plugin(spec("two")), "b"))
    assert list(found.methods) == ["one", "two"]
    assert not found.broken


@pytest.mark.parametrize("answer", ["a word", None, 3])
def test_a_wrong_answer_breaks_the_plugin_only(installed: Any, answer: Any) -> None:
    found = installed(Point("a", plugin(answer), "a"), Point("c", plugin(spec("toy")), "c"))
    assert list(found.methods) == ["toy"]
    assert "MethodSpec" in found.broken["a"]


def test_an_unknown_hook_is_an_error(installed: Any) -> None:
    wrong = plugin(spec("toy"))
    wrong.iid_method = hookimpl(lambda: [])  # type: ignore[attr-defined]
    assert "iid_method" in installed(Point("a", wrong, "a")).broken["a"]


def test_plugins_bring_datasets(installed: Any) -> None:
    extra = DatasetSpec("rooms", "rooms", "rooms:open", frozenset())
    found = installed(
        Point("a", plugin(datasets=(extra,)), "a"),
        Point("b", plugin(datasets=(DatasetSpec("mit", "", "", frozenset()),)), "b"),
    )
    assert found.datasets["rooms"] is extra
    assert "already provided by intrinsic-cli" in found.broken["b"]


def test_plugins_bring_protocols(installed: Any) -> None:
    extra = ProtocolSpec("hands", "hands.protocol:HANDS")
    found = installed(
        Point("a", plugin(protocols=(extra,)), "a"),
        Point("b", plugin(protocols=(ProtocolSpec("mit", "b:MIT"),)), "b"),
        Point("c", plugin(protocols=("a word",)), "c"),
    )
    assert found.protocols["hands"] is extra
    assert list(found.protocols) == sorted(found.protocols)
    assert found.protocols["mit"].target.startswith("intrinsic_cli.")
    assert (
        "protocol 'mit' of b (b_module) is already provided by intrinsic-cli" in found.broken["b"]
    )
    assert "str instead of ProtocolSpec" in found.broken["c"]
