"""Names become methods, variants, datasets and protocols."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from made_up_plugins import LAYERS, spec

from intrinsic_cli.api import (
    DataError,
    DatasetSpec,
    IidError,
    Method,
    PluginError,
    ProtocolSpec,
    UsageError,
    Variant,
)
from intrinsic_cli.find_dataset import find_dataset
from intrinsic_cli.registry import Registry, load_registry, open_dataset, open_method, open_protocol


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


@pytest.mark.parametrize(
    ("text", "kind", "told", "hint"),
    [
        ("{0}/no/such", DataError, "nothing at {0}/no/such: no such file", "no folder {0}/no"),
        ("folder:{0}/no/such", DataError, "nothing at {0}/no/such", "no folder {0}/no"),
        ("synth:{0}/photso", DataError, "nothing at {0}/photso", "did you mean {0}/photos?"),
        ("./photso", DataError, "nothing at photso", "did you mean photos?"),
        ("unpaired:{0}/photos,{0}/photso", DataError, "nothing at {0}/photso", "{0}/photos?"),
        ("photso", UsageError, "no dataset or folder called 'photso'", "the folder photos?"),
        ("photo.png", DataError, "photo.png is not a folder", "give a folder"),
        ("floder", UsageError, "no dataset or folder called 'floder'", "'folder'?"),
    ],
)
def test_what_is_told_of_data_that_is_not_there(
    text: str,
    kind: type[IidError],
    told: str,
    hint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photo.png").touch()
    with pytest.raises(kind) as caught:
        find_dataset(text.format(tmp_path), load_registry().datasets)
    assert told.format(tmp_path) in caught.value.message
    assert hint.format(tmp_path) in caught.value.hint


def test_the_default_variant_may_have_a_name() -> None:
    two = spec("two", "toy:Toy", Variant("other", layers=LAYERS), alias="first")
    found = Registry({"two": two})
    assert found.resolve("two") == found.resolve("two:first") == (two, two.default)
    assert found.resolve("two:other") == (two, two.variants[1])
    with pytest.raises(UsageError, match="no variant 'frist'"):
        found.resolve("two:frist")


def test_a_method_that_lacks_a_part_is_named() -> None:
    with pytest.raises(PluginError, match=r"cannot be made: .* abstract"):
        open_method(spec(target="intrinsic_cli.api:Method"))
