"""The contract is small, light and says what it means."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
import textwrap
from dataclasses import FrozenInstanceError, fields, replace
from types import ModuleType

import pytest

from intrinsic_cli import api
from intrinsic_cli.api import (
    DataError,
    IidError,
    MethodSpec,
    Silent,
    TrainConfig,
    UsageError,
    Variant,
    WeightsError,
    errors,
    method,
)


def test_everything_named_is_there() -> None:
    assert sorted(api.__all__) == api.__all__
    assert all(hasattr(api, name) for name in api.__all__)


def test_it_needs_only_pluggy() -> None:
    look = "import sys, intrinsic_cli.api; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pluggy" in loaded
    assert not loaded & {"torch", "numpy", "cv2", "PIL", "rich", "click", "safetensors"}


def test_errors_carry_their_exit_code_and_hint() -> None:
    assert [kind.exit_code for kind in (IidError, UsageError, DataError, WeightsError)] == [
        1,
        2,
        4,
        4,
    ]
    error = UsageError("no such thing", "try another")
    assert (str(error), error.hint) == ("no such thing", "try another")


def test_specs_cannot_be_changed_but_copied() -> None:
    spec = MethodSpec("toy", "a toy", "toy:Toy", (Variant(layers=("albedo",)),))
    with pytest.raises(FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
    assert replace(spec.default, stages=()).stages == ()


def test_a_variant_is_found_by_its_name_or_alias() -> None:
    default = Variant(layers=("albedo",), alias="plain")
    glass = Variant("glass", layers=("pane",))
    spec = MethodSpec("toy", "a toy", "toy:Toy", (default, glass))
    assert [spec.variant(name) for name in ("", "plain", "glass")] == [default, default, glass]
    assert [spec.title(variant) for variant in spec.variants] == ["toy", "toy:glass"]
    with pytest.raises(KeyError):
        spec.variant("other")
    named = MethodSpec("toy", "a toy", "toy:Toy", (glass, Variant("plain", layers=("albedo",))))
    assert named.variant("") is named.variant("glass") is glass


def test_every_training_knob_has_help() -> None:
    assert all(item.metadata["help"] for item in fields(TrainConfig))


def test_silence_listens_to_everything() -> None:
    listener: api.Progress = Silent()
    listener.start("work", None)
    listener.advance(2, {"loss": 1.0})
    listener.note("a line")
    listener.finish()


def test_the_example_of_a_method_works(monkeypatch: pytest.MonkeyPatch) -> None:
    from intrinsic_cli.testing import check_method

    told = inspect.getdoc(method) or ""
    code = textwrap.dedent(told.partition("::\n\n")[2].partition("\n\n``iid plugin")[0])
    assert len(code.splitlines()) <= 20
    made = ModuleType("plain")
    monkeypatch.setitem(sys.modules, "plain", made)
    exec(code, made.__dict__)
    check_method(made.SPEC)


def children(kind: type[IidError]) -> list[type[IidError]]:
    return [kind, *(inner for child in kind.__subclasses__() for inner in children(child))]


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        words = line.strip("├└─ ").split()
        if len(words) > 1 and words[0].endswith("Error"):
            drawn[words[0]] = int(words[1])
    own = [kind for kind in children(IidError) if kind.__module__ == errors.__name__]
    assert drawn == {kind.__name__: kind.exit_code for kind in own}


@pytest.mark.parametrize("name", ["Batch", "Image", "Minimise", "NetState", "Split"])
def test_types_can_be_looked_up(name: str) -> None:
    """``help(intrinsic_cli.api.method)`` says what the names in its signatures stand for."""
    value = getattr(api, name)
    home = next(
        module
        for module in (api.data, api.method, api.outputs)  # type: ignore[attr-defined]
        if name in vars(module)
    )
    assert f"{name} = {value!r}" in pydoc.plain(pydoc.render_doc(home))


@pytest.mark.parametrize("name", api.__all__)
def test_everything_public_says_what_it_is(name: str) -> None:
    value = getattr(api, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
    if inspect.isclass(value) and value.__module__.startswith("intrinsic_cli"):
        for attribute, part in vars(value).items():
            if inspect.isfunction(part) and not attribute.startswith("_") and name != "Silent":
                assert inspect.getdoc(part), f"{name}.{attribute}"
