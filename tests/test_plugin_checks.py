"""A front door that imports torch is found, though torch is long imported here."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrinsic_cli.api import MethodSpec, PluginError, Variant
from intrinsic_cli.plugin_checks import check_front_door
from intrinsic_cli.registry import load_registry
from intrinsic_cli.testing import check_method


def slow(folder: Path, imports: str) -> MethodSpec:
    """A method whose package begins with ``imports``."""
    (folder / "tardy").mkdir()
    (folder / "tardy" / "__init__.py").write_text(imports)
    variant = Variant(layers=("albedo",), stages=())
    return MethodSpec("tardy", "takes its time", "tardy.method:Tardy", (variant,))


@pytest.mark.parametrize("imports", ["import torch.nn", "from PIL import Image\nimport numpy"])
def test_a_slow_front_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imports: str) -> None:
    spec = slow(tmp_path, imports)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        AssertionError, match=r"broken promise: importing tardy imports .*, at every"
    ):
        check_method(spec)


def test_front_doors_that_are_light() -> None:
    for spec in load_registry().methods.values():
        check_front_door(spec)


def test_check_method_names_a_broken_promise_of_the_description() -> None:
    wrong = MethodSpec("toy", "a toy", "toy:Toy", (Variant(layers="albedo"),))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="the word 'albedo', not a tuple"):
        check_method(wrong)


def test_the_message_of_a_slow_front_door_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError) as caught:
        check_front_door(slow(tmp_path, "import numpy"))
    assert caught.value.message == "importing tardy imports numpy, at every start of iid"
