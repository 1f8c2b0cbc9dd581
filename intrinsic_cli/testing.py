"""The third public door for plugin authors: does a method keep the contract?

    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.testing import check_method

    def test_mine():
        check_method(load_registry().methods["mine"])

Everything runs on the CPU, on a made-up dataset of little scenes, in a temporary folder. A broken
promise is an AssertionError that says which one."""

from __future__ import annotations

import tempfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from intrinsic_cli import settings
from intrinsic_cli.api import DatasetSpec, Method, MethodSpec, PluginError, TrainConfig, Variant
from intrinsic_cli.plugin_checks import check_front_door, check_method_spec
from intrinsic_cli.registry import load_registry, open_method
from intrinsic_cli.testing_decomposing import check_decomposing
from intrinsic_cli.testing_source import expect, tiny_offering
from intrinsic_cli.testing_training import check_stage

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row


def check_method(
    spec: MethodSpec, stage: str | None = None, name: str = "", data: DatasetSpec | None = None
) -> None:
    """Check one method: description, training of ``stage`` (None: of all) and, after the last
    stage, decomposing.

    The little scenes offer every key that the method needs and whose kind is known, from
    :data:`~intrinsic_cli.api.data.ROWS` or from the ``rows`` of an installed dataset. ``data`` is
    for methods that need batches of their own.
    """
    data = check_description(spec, name, data)
    variant = spec.variant(name)
    with tempfile.TemporaryDirectory(prefix="iid-check-") as place:
        folder = Path(place)
        weights = None
        trained = variant.stages if stage is None else (stage,)
        for name in trained if variant.stages else ():
            weights = check_stage(spec, name, variant, data, folder / name)
        if not variant.stages or trained[-1] == variant.stages[-1]:
            check_decomposing(spec, variant, weights, folder / "decompose")


def check_description(spec: MethodSpec, name: str, data: DatasetSpec | None = None) -> DatasetSpec:
    """What a MethodSpec says of itself holds. Returns the dataset to train it on."""
    try:
        check_method_spec(spec)
        check_front_door(spec)
    except PluginError as error:
        expect(False, error.message)
    expect(name in ("", *spec.variant_names), f"{name!r} is one of its variants")
    variant = spec.variant(name)
    expect(isinstance(open_method(spec), Method), "the target is a Method")
    for kind in (variant.options, variant.config):
        expect(
            is_dataclass(kind) and all("help" in item.metadata for item in fields(kind)),
            f"{kind} is made of knobs",
        )
        expect(settings.settle(kind, {}, ()) is not None, f"{kind} has defaults")
    expect(issubclass(variant.config, TrainConfig), "its config is a TrainConfig")
    data = data or _little_scenes(variant)
    expect(variant.needs <= data.offers, f"{data.name} offers {', '.join(sorted(variant.needs))}")
    return data


def _little_scenes(variant: Variant) -> DatasetSpec:
    """The miniature dataset with every key the variant needs."""
    rows: dict[str, Row] = {}
    for dataset in load_registry().datasets.values():
        rows |= dataset.rows
    try:
        return tiny_offering(variant.needs, rows)
    except PluginError as error:
        raise AssertionError(f"broken promise: {error.message} ({error.hint})") from error
