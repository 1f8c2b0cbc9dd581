"""The third public door for plugin authors: does a method keep the contract?

    from intrinsic_cli.registry import load_registry
    from intrinsic_cli.testing import check_method

    def test_mine():
        check_method(load_registry().methods["mine"])

Everything runs on the CPU, on a made-up dataset of little scenes, in a temporary folder. A broken
promise is an AssertionError that says which one."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from intrinsic_cli import settings, weights
from intrinsic_cli.api import (
    DatasetSpec,
    Decomposition,
    Method,
    MethodSpec,
    PluginError,
    Runtime,
    Silent,
    TrainConfig,
    Variant,
)
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.files.layers import rebuild
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.networks.checkpoint import load_weights, state_of
from intrinsic_cli.plugin_checks import check_front_door, check_method_spec
from intrinsic_cli.registry import Registry, load_registry, open_dataset, open_method
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train.run import train
from intrinsic_cli.testing_source import ODD, data_text, scene, tiny_offering

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Row
    from intrinsic_cli.api.method import NetState

REBUILDS = 1e-3  # RMSE to which albedo · shading (+ residual), or the sum of layers, must give the photo back
AT_ONCE = 1e-6  # seconds after which an interrupted run stops: after its first step


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
    with tempfile.TemporaryDirectory(prefix="iid-check-") as folder:
        for name in variant.stages if stage is None else (stage,):
            path = check_stage(spec, name, variant, data, Path(folder) / name)
            if name == variant.stages[-1]:
                check_decomposing(spec, variant, load_weights(path)[0])
        if not variant.stages:
            check_decomposing(spec, variant, {})


def check_description(spec: MethodSpec, name: str, data: DatasetSpec | None = None) -> DatasetSpec:
    """What a MethodSpec says of itself holds. Returns the dataset to train it on."""
    try:
        check_method_spec(spec)
        check_front_door(spec)
    except PluginError as error:
        _expect(False, error.message)
    _expect(name in ("", *spec.variant_names), f"{name!r} is one of its variants")
    variant = spec.variant(name)
    _expect(isinstance(open_method(spec), Method), "the target is a Method")
    for kind in (variant.options, variant.config):
        _expect(
            is_dataclass(kind) and all("help" in item.metadata for item in fields(kind)),
            f"{kind} is made of knobs",
        )
        _expect(settings.settle(kind, {}, ()) is not None, f"{kind} has defaults")
    _expect(issubclass(variant.config, TrainConfig), "its config is a TrainConfig")
    data = data or _little_scenes(variant)
    _expect(variant.needs <= data.offers, f"{data.name} offers {', '.join(sorted(variant.needs))}")
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


def check_stage(
    spec: MethodSpec, stage: str, variant: Variant, data: DatasetSpec, folder: Path
) -> Path:
    """Two steps of ``stage`` (and of those before it): they move the weights, a run that is stopped
    after every step ends with the same ones, the file holds what was trained. Returns the weights
    the run ends with, which need not hold more than decomposing needs."""
    variant = replace(variant, stages=variant.stages[: variant.stages.index(stage) + 1])
    upto = replace(spec, variants=(variant,))
    whole = _train(upto, variant, data, folder / "whole")
    path = whole.folder / stage / "best.safetensors"
    _expect(whole.finished and path.exists(), "the run ends with weights")
    state, record = load_weights(path)
    _expect(
        weights.verify(path) != "" and record["method"] == spec.name,
        "the weights file is whole and says whose it is",
    )
    _check_moved(upto, variant, data, state, whole.folder)
    stopped = _train_in_pieces(upto, variant, data, folder / "pieces", whole.folder)
    if not _same(state, load_weights(stopped.folder / stage / "best.safetensors")[0]):
        again = _train(upto, variant, data, folder / "again")
        repeats = _same(state, load_weights(again.folder / stage / "best.safetensors")[0])
        _expect(repeats, "two runs with one seed give the same weights")
        _expect(False, "a resumed run gives the same weights as an uninterrupted one")
    return whole.folder / "best.safetensors"


def check_decomposing(spec: MethodSpec, variant: Variant, state: NetState) -> None:
    """Photos of odd sizes and kinds → the declared layers, whole, finite, the same every time."""
    from intrinsic_cli.kit.inference.pipeline import decompose_photo

    runtime = _runtime(variant)
    decomposer = open_method(spec).decomposer(
        state, settings.settle(variant.options, {}, ()), runtime
    )
    for kind, (file, size) in _pictures().items():
        first, again = (decompose_photo(decomposer, file, runtime) for _ in range(2))
        told = f"a {kind} photo"
        missing = set(variant.layers) - set(first.layers) - set(first.meshes)
        _expect(not missing, f"{told} gives the layers {', '.join(sorted(missing))}")
        for name, layer in first.layers.items():
            _expect(
                layer.shape[:2] == size,
                f"{told}: {name} has the photo's size {size}, not {layer.shape[:2]}",
            )
            _expect(bool(np.isfinite(layer).all()), f"{told}: {name} is finite")
            _expect(
                np.array_equal(layer, again.layers[name]), f"{told}: {name} is the same every time"
            )
        if decomposer.frame.upsample != "resize":
            _check_rebuilt(first, told)


def _pictures() -> dict[str, tuple[Photo, tuple[int, int]]]:
    """The same little scene as files of several kinds, read as the command line reads them."""
    pixels = scene(np.random.default_rng(7), *ODD)["photo"].astype(np.float32)
    deep = (pixels / pixels.max() * 65535).astype(np.uint16)
    flat = (deep >> 8).astype(np.uint8)
    alpha = np.full((*ODD, 1), 255, np.uint8)
    alpha[:9] = 0
    kinds = {
        "colour": flat,
        "gray": flat[..., 0],
        "transparent": np.dstack([flat, alpha]),
        "16-bit": deep,
    }
    return {
        kind: (read_photo(cv2.imencode(".png", codes)[1].tobytes()), ODD)
        for kind, codes in kinds.items()
    }


def _check_rebuilt(result: Decomposition, told: str) -> None:
    """Factors multiply, and summands add up, to the photo; no summand is negative."""
    rebuilt = rebuild(result.layers)
    if rebuilt is not None:
        error = float(np.sqrt(np.mean((rebuilt - result.photo) ** 2)))
        how = (
            "albedo · shading gives"
            if "albedo" in result.layers
            else f"{' + '.join(SUMMANDS)} give"
        )
        _expect(error <= REBUILDS, f"{told}: {how} the photo back (RMSE {error:.2g})")
    for name in SUMMANDS:
        low = float(np.min(result.layers.get(name, 0.0)))
        _expect(low >= 0, f"{told}: {name} is nowhere negative (least {low:.2g})")


def _check_moved(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, state: NetState, run: Path
) -> None:
    """Every net with an optimizer differs from where the stage began."""
    method, config = open_method(spec), _config(variant)
    parents = {
        name: load_weights(run / name / "best.safetensors")[0] for name in variant.stages[:-1]
    }
    torch.manual_seed(config.seed)
    source = open_dataset(data_text(data), _registry(spec, data))
    trainer = method.trainer(
        variant.stages[-1], config, source, replace(_runtime(variant), parents=parents)
    )
    before = state_of(trainer.nets)
    _expect(before.keys() == state.keys(), f"the file holds the nets {', '.join(before)}")
    owned = {
        id(x)
        for optimizer in trainer.optimizers.values()
        for g in optimizer.param_groups
        for x in g["params"]
    }
    for name, net in trainer.nets.items():
        learns = any(id(x) in owned for x in net.parameters())
        _expect(
            not learns or not _same({name: before[name]}, {name: state[name]}),
            f"training moves the net {name!r}",
        )


def _train(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, folder: Path, **more: Any
) -> TrainReport:
    name = spec.title(variant)
    overrides = tuple(f"{key}={value}" for key, value in {"steps": 2, **variant.smoke}.items())
    request = TrainRequest(
        name, data_text(data), folder, overrides=overrides, device="cpu", precision="fp32", **more
    )
    return train(request, Silent(), _registry(spec, data))


def _train_in_pieces(
    spec: MethodSpec, variant: Variant, data: DatasetSpec, folder: Path, whole: Path
) -> TrainReport:
    """The last stage once more, stopped after every step; the stages before it are taken from the
    run ``whole``."""
    shutil.copytree(whole, folder, ignore=shutil.ignore_patterns(variant.stages[-1]))
    report = _train(spec, variant, data, folder, seconds=AT_ONCE, resume=folder)
    _expect(not report.finished, "a run stops when its time is up")
    for _ in range(100):
        if report.finished:
            break
        report = _train(spec, variant, data, folder, seconds=AT_ONCE, resume=folder)
    _expect(report.finished, "a run that is resumed often enough comes to its end")
    return report


def _registry(spec: MethodSpec, data: DatasetSpec) -> Registry:
    return Registry(
        methods={spec.name: spec}, datasets={data.name: data}, origins={spec.name: "this check"}
    )


def _config(variant: Variant) -> Any:
    return settings.settle(variant.config, {"steps": 2, **variant.smoke}, ())


def _runtime(variant: Variant) -> Runtime:
    return Runtime(torch.device("cpu"), "fp32", 0, variant.name)


def _same(one: NetState, other: NetState) -> bool:
    return one.keys() == other.keys() and all(
        one[net].keys() == other[net].keys()
        and all(torch.equal(x, other[net][key]) for key, x in part.items())
        for net, part in one.items()
    )


def _expect(holds: bool, promise: str) -> None:
    if not holds:
        raise AssertionError(f"broken promise: {promise}")
