"""Slips in what a plugin answers become sentences."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from made_up_plugins import LAYERS, Point, plugin, spec

from intrinsic_cli.api import MethodSpec, NoOptions, Variant, hookimpl


def test_a_hook_without_its_mark(installed: Any) -> None:
    unmarked = ModuleType("unmarked")
    unmarked.iid_methods = lambda: [spec("toy")]  # type: ignore[attr-defined]
    found = installed(
        Point("a", unmarked, "a"),
        Point("b", ModuleType("empty"), "b"),
    )
    assert found.broken["a"] == "iid_methods lacks its mark: write @hookimpl above it"
    assert found.broken["b"].startswith("it answers none of the hooks iid_methods, ")


@pytest.mark.parametrize("answer", [None, "a word", spec("toy")])
def test_an_answer_that_is_no_list(installed: Any, answer: Any) -> None:
    wrong = ModuleType("wrong")
    wrong.iid_methods = hookimpl(lambda: answer)  # type: ignore[attr-defined]
    told = installed(Point("a", wrong, "a")).broken["a"]
    assert told == f"iid_methods answers with a {type(answer).__name__}, not a list of specs"


def changed(**fields: Any) -> MethodSpec:
    return replace(spec("toy"), **fields)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (spec("two words"), "the name 'two words' of a method is not one lower-case word"),
        (spec("a:b"), "the name 'a:b' of a method is not one lower-case word"),
        (changed(summary="two\nlines"), "the summary of toy is not one line of text"),
        (spec(target=""), "the target of toy is '', not 'package.module:Class'"),
        (spec(target="toy.Toy"), "the target of toy is 'toy.Toy', not 'package.module:Class'"),
        (changed(variants=()), "variants of toy is no tuple of at least one Variant"),
        (
            changed(variants=Variant(layers=LAYERS)),
            "variants of toy is one Variant, not a tuple: write (Variant(...),)",
        ),
        (changed(variants=("big",)), "variants of toy holds a str, not only Variants"),
        (
            changed(variants=(Variant(layers=LAYERS),) * 2),
            "a variant of toy that is not the first has no name",
        ),
        (
            spec("toy", "toy:Toy", Variant("big", layers=LAYERS), alias="big"),
            "toy has more than one variant called 'big'",
        ),
        (
            spec("toy", "toy:Toy", Variant("a b", layers=LAYERS)),
            "the variant 'a b' of toy is not one word",
        ),
        (
            spec(layers="albedo"),
            "layers of toy is the word 'albedo', not a tuple: write ('albedo',)",
        ),
        (
            spec("toy", "toy:Toy", Variant("big", layers="albedo")),  # type: ignore[arg-type]
            "layers of toy:big is the word 'albedo', not a tuple: write ('albedo',)",
        ),
        (spec(stages="main"), "stages of toy is the word 'main', not a tuple: write ('main',)"),
        (spec(needs="photo"), "needs of toy is the word 'photo', not a tuple: write ('photo',)"),
        (spec(needs=None), "needs of toy is None, not a tuple of words"),
        (spec(layers=()), "toy names no layers"),
        (spec(layers=("pane",)), "the kind of the output 'pane' is not known (give Variant(kinds="),
        (spec(options=3), "options of toy is not a dataclass of knobs"),
        (spec(config=NoOptions), "config of toy is not derived from TrainConfig"),
        (spec(smoke={"stps": 2}), "smoke of toy sets 'stps', which its config does not have"),
    ],
    ids=str,
)
def test_slips_become_sentences(installed: Any, wrong: MethodSpec, told: str) -> None:
    found = installed(Point("a", plugin(wrong, spec("good")), "a"))
    assert list(found.methods) == ["good"]
    reason = found.broken["a"]
    assert reason == told or (told.endswith("=") and reason.startswith(told))


def test_a_description_that_cannot_be_made(installed: Any) -> None:
    wrong = ModuleType("wrong")
    wrong.iid_methods = hookimpl(lambda: [MethodSpec(name="toy", summary="")])  # type: ignore[attr-defined,call-arg]
    told = installed(Point("a", wrong, "a")).broken["a"]
    assert told.startswith("iid_methods fails: TypeError: ")
    assert "'target'" in told
