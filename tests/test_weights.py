"""Where weights are looked for, and how damage is noticed, without torch."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intrinsic_cli import weights
from intrinsic_cli.api import MethodSpec, Variant, WeightsError
from intrinsic_cli.registry import Registry

RECORD = {"method": "toy", "variant": "", "steps": 3}


def spec(**more: Any) -> MethodSpec:
    default = Variant(layers=("albedo",), **more)
    variants = (default, replace(default, name="big"))
    return MethodSpec("toy", "a toy", "toy_plugin.method:Toy", variants)


def toy(name: str = "", **more: Any) -> tuple[MethodSpec, Variant]:
    """The method and one of its variants, as they are handed about."""
    made = spec(**more)
    return made, made.variant(name)


def write(path: Path, header: dict[str, Any] | None = None, body: bytes = bytes(12)) -> Path:
    """A little safetensors file."""
    tensors = {"net|a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    tensors["net|b"] = {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]}
    head = json.dumps(
        header or {"__metadata__": {"record": json.dumps(RECORD)}, **tensors}
    ).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(head)) + head + body)
    return path


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights folder of an importable plugin package that fails if it is imported."""
    package = tmp_path / "site" / "toy_plugin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(package.parent)
    return package / "weights"


def test_the_order_of_places(packaged: Path, home: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights.find_weights(*toy("big"))
    assert "toy:big" in caught.value.message
    assert "iid train --plugin toy:big" in caught.value.hint
    shipped = write(packaged / "toy-big.safetensors")
    assert weights.find_weights(*toy("big")) == shipped
    installed = write(home / "weights" / "toy-big.safetensors")
    assert weights.find_weights(*toy("big")) == installed
    given = write(tmp_path / "mine.safetensors")
    assert weights.find_weights(*toy("big"), str(given)) == given


def test_weights_by_name(packaged: Path, home: Path) -> None:
    mine = write(home / "weights" / "mine.safetensors")
    assert weights.find_weights(*toy(""), "mine") == mine
    assert weights.find_weights(*toy(""), "mine.safetensors") == mine
    with pytest.raises(WeightsError, match="no weights called 'other'"):
        weights.find_weights(*toy(""), "other")


def test_weights_of_the_default_variant_serve_one_whose_added_networks_they_hold(
    packaged: Path, home: Path
) -> None:
    made, big = toy("big")
    adding = replace(big, adds=("net",))
    missing = replace(big, adds=("net", "other"))
    default = write(packaged / "toy.safetensors")
    assert weights.find_weights(made, adding) == default
    with pytest.raises(WeightsError, match="no weights for toy:big"):
        weights.find_weights(made, missing)
    with pytest.raises(WeightsError, match="no weights for toy:big"):
        weights.find_weights(made, big)
    own = write(packaged / "toy-big.safetensors")
    assert weights.find_weights(made, adding) == own


def test_added_networks_are_looked_for_in_packaged_weights_behind_installed_ones(
    packaged: Path, home: Path
) -> None:
    made, big = toy("big")
    tensor = {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}
    write(home / "weights" / "toy.safetensors", {"plain|a": tensor})
    shipped = write(packaged / "toy.safetensors")
    assert weights.find_weights(made, replace(big, adds=("net",))) == shipped


def test_a_method_with_nothing_to_train_needs_none() -> None:
    assert weights.find_weights(*toy(stages=())) is None


def test_a_method_that_works_untrained_uses_weights_where_there_are_some(
    packaged: Path, home: Path
) -> None:
    untrained = toy(works_untrained=True)
    assert weights.find_weights(*untrained) is None
    with pytest.raises(WeightsError, match="no weights called 'other'"):
        weights.find_weights(*untrained, "other")
    shipped = write(packaged / "toy.safetensors")
    assert weights.find_weights(*untrained) == shipped


def test_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert weights.home().name.startswith("home")
    monkeypatch.delenv("IID_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert weights.home() == tmp_path / "iid"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert weights.home() == Path.home() / ".local/share/iid"


def test_record_and_hash(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors")
    assert weights.read_record(path) == RECORD
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.sha256(path) == weights.verify(path) == digest
    write(path, body=bytes(11) + b"x")
    assert weights.sha256(path) != digest


def test_verify_compares_with_the_shipped_hash(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors")
    beside = tmp_path / "a.safetensors.sha256"
    beside.write_text(f"{weights.sha256(path)}  a.safetensors\n")
    weights.verify(path)
    beside.write_text("0" * 64)
    with pytest.raises(WeightsError, match="sha256"):
        weights.verify(path)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[:-1], "size"),
        (lambda data: data + b"!", "size"),
        (lambda data: data[:5], "shorter"),
        (lambda data: b"\xff" * 8 + data[8:], "does not begin"),
        (lambda data: data[:9] + b"?" + data[10:], "header"),
        (lambda data: data.replace(b'"shape": [2]', b'"shape": [3]'), "12"),
        (lambda data: data.replace(b"[8, 12]", b"[7, 11]"), "overlap"),
        (lambda data: data.replace(b'"dtype": "F32"', b'"dtypo": "F32"'), "describe"),
        (lambda data: data.replace(rb"{\"method\"", rb"[\"method\""), "record"),
    ],
)
def test_damage_is_noticed(tmp_path: Path, damage: Any, why: str) -> None:
    path = write(tmp_path / "a.safetensors")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match=why):
        weights.verify(path)


def test_install_and_list(packaged: Path, home: Path, tmp_path: Path) -> None:
    write(packaged / "toy.safetensors")
    write(home / "weights" / "stray.safetensors")
    target = weights.install(write(tmp_path / "new.safetensors"), *toy("big"))
    assert target == home / "weights" / "toy-big.safetensors"
    assert weights.install(target, *toy("big")) == target
    listed = weights.list_weights(Registry({"toy": spec()}))
    assert [(file.name, file.method, file.variant, file.place) for file in listed] == [
        ("stray", "", "", "home"),
        ("toy", "toy", "", "packaged"),
        ("toy-big", "toy", "big", "home"),
    ]


def test_of_two_files_of_one_name_the_one_in_use_is_exported(
    packaged: Path, home: Path, tmp_path: Path
) -> None:
    shipped = write(packaged / "toy.safetensors", body=bytes(12))
    registry = Registry({"toy": spec()})
    first = weights.export("toy", tmp_path / "first.safetensors", registry)
    assert first.read_bytes() == shipped.read_bytes()
    installed = write(home / "weights" / "toy.safetensors", body=bytes(8) + b"\0\x3c\0\x3c")
    listed = weights.list_weights(registry)
    assert [(file.name, file.place) for file in listed] == [("toy", "home"), ("toy", "packaged")]
    second = weights.export("toy", tmp_path / "second.safetensors", registry)
    assert second.read_bytes() == installed.read_bytes() != shipped.read_bytes()


def test_damaged_weights_are_not_installed(tmp_path: Path, home: Path) -> None:
    path = write(tmp_path / "a.safetensors", body=b"")
    with pytest.raises(WeightsError):
        weights.install(path, *toy())
    assert not (home / "weights").exists()
