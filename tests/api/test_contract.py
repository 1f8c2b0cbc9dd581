"""The contract is small, light and says what it means."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace

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


def test_every_training_knob_has_help() -> None:
    assert all(item.metadata["help"] for item in fields(TrainConfig))


def test_silence_listens_to_everything() -> None:
    listener: api.Progress = Silent()
    listener.start("work", None)
    listener.advance(2, {"loss": 1.0})
    listener.note("a line")
    listener.finish()
