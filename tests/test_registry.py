"""Entry points become methods; what is broken is named and does no harm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from intrinsic_cli import registry
from intrinsic_cli.api import (
    DataError,
    DatasetSpec,
    Method,
    MethodSpec,
    NoOptions,
    PluginError,
    ProtocolSpec,
    UsageError,
    Variant,
    hookimpl,
)
from intrinsic_cli.registry import (
    Registry,
    load_registry,
    open_dataset,
    open_method,
    open_protocol,
)

LAYERS = ("albedo", "shading")


def spec(name: str = "toy", target: str = "toy:Toy", *others: Variant, **more: Any) -> MethodSpec:
    """A sound description; ``more`` is said of its default variant."""
    default = Variant(**{"layers": LAYERS, **more})
    return MethodSpec(name, "a toy", target, (default, *others))


class Dist:
    def __init__(self, name: str) -> None:
        self.name = name

    def read_text(self, file: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {self.name}\n" if file == "METADATA" else None


class Point:
    """What the registry needs of an entry point."""

    group = "iid.methods"

    def __init__(self, name: str, plugin: Any, dist: str) -> None:
        self.name, self.value, self.plugin, self.dist = name, f"{name}_module", plugin, Dist(dist)

    def load(self) -> Any:
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        return self.plugin


def plugin(
    *methods: Any, datasets: tuple[Any, ...] = (), protocols: tuple[Any, ...] = ()
) -> ModuleType:
    made = ModuleType("made")
    made.iid_methods = hookimpl(lambda: list(methods))  # type: ignore[attr-defined]
    made.iid_datasets = hookimpl(lambda: list(datasets))  # type: ignore[attr-defined]
    made.iid_protocols = hookimpl(lambda: list(protocols))  # type: ignore[attr-defined]
    return made


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Load a registry from made-up entry points."""

    def load(*points: Point) -> Registry:
        monkeypatch.setattr(registry, "entry_points", lambda group: list(points))
        load_registry.cache_clear()
        return load_registry()

    yield load
    load_registry.cache_clear()


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


def test_every_protocol_of_the_house_can_be_opened() -> None:
    found = load_registry()
    for name in found.protocols:
        assert open_protocol(name, found).name == name


def test_a_protocol_of_another_name_is_not_taken_for_it() -> None:
    mit = load_registry().protocols["mit"]
    found = Registry(protocols={"other": ProtocolSpec("other", mit.target)})
    with pytest.raises(PluginError, match="of protocol 'other' is not a Protocol called so"):
        open_protocol("other", found)


def test_a_protocol_nobody_brings() -> None:
    with pytest.raises(UsageError, match="no protocol called 'mti'") as caught:
        open_protocol("mti", load_registry())
    assert "did you mean 'mit'?" in caught.value.hint
    wrong = Registry(protocols={"no": ProtocolSpec("no", "builtins:dict")})
    with pytest.raises(PluginError, match="builtins:dict of protocol 'no' is not a Protocol"):
        open_protocol("no", wrong)


def test_resolve() -> None:
    flow = spec("flow", "toy:Toy", Variant("albedo16", layers=LAYERS))
    found = Registry({"flow": flow}, broken={"bad": "ImportError: x"})
    assert found.resolve("flow") == (flow, flow.default)
    assert found.resolve("flow:albedo16") == (flow, flow.variants[1])
    for text, message, hint in (
        ("flwo", "no method called 'flwo'", "did you mean 'flow'"),
        ("flow:albedo61", "no variant 'albedo61'", "did you mean 'albedo16'"),
        ("bad", "ImportError: x", "uninstall"),
        ("", "no method", "flow"),
    ):
        with pytest.raises(UsageError) as caught:
            found.resolve(text)
        assert message in caught.value.message
        assert hint in caught.value.hint


def test_open_method() -> None:
    assert isinstance(open_method(load_registry().methods["gray"]), Method)
    for target in ("nowhere.at:All", "iid_gray.method:Missing", "builtins:dict"):
        with pytest.raises(PluginError, match="toy"):
            open_method(spec(target=target))


def test_open_dataset_names_paths_and_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ModuleType("reader")
    reader.open = lambda path: path  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "reader", reader)
    made = {
        name: DatasetSpec(name, name, "reader:open", frozenset(), needs_path=needs)
        for name, needs in (("synth", False), ("mit", True), ("folder", True))
    }
    found: Any = Registry(datasets=made)
    assert open_dataset("synth", found) is None
    assert open_dataset(f"mit:{tmp_path}", found) == tmp_path
    assert open_dataset(str(tmp_path), found) == tmp_path
    for text, kind in (
        ("mit", UsageError),
        ("mti", UsageError),
        ("mit:/nowhere", DataError),
        ("a/b", DataError),
    ):
        with pytest.raises(kind) as caught:
            open_dataset(text, found)
        assert caught.value.hint


def test_the_default_variant_may_have_a_name() -> None:
    two = spec("two", "toy:Toy", Variant("other", layers=LAYERS), alias="first")
    found = Registry({"two": two})
    assert found.resolve("two") == found.resolve("two:first") == (two, two.default)
    assert found.resolve("two:other") == (two, two.variants[1])
    with pytest.raises(UsageError, match="no variant 'frist'"):
        found.resolve("two:frist")


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


def test_a_method_that_lacks_a_part_is_named() -> None:
    with pytest.raises(PluginError, match=r"cannot be made: .* abstract"):
        open_method(spec(target="intrinsic_cli.api:Method"))
