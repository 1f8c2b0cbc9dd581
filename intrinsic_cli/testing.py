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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from intrinsic_cli import settings, weights
from intrinsic_cli.api import (
    Case,
    DatasetSpec,
    Decomposition,
    Method,
    MethodSpec,
    Runtime,
    Silent,
    Source,
    TrainConfig,
    Variant,
)
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.files.layers import rebuild
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo, read_photo
from intrinsic_cli.kit.networks.checkpoint import load_weights, state_of
from intrinsic_cli.registry import Registry, open_dataset, open_method
from intrinsic_cli.requests import TrainReport, TrainRequest
from intrinsic_cli.runs.train.run import train

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split
    from intrinsic_cli.api.method import NetState

Array = NDArray[np.float32]

OFFERS = frozenset({"photo", "albedo", "shading", "mask", "normals"})
TINY = DatasetSpec(
    "tiny", "made-up little scenes", "intrinsic_cli.testing:open_tiny", OFFERS, needs_path=False
)
ODD = (37, 51)  # a photo size no network has as a multiple
REBUILDS = 1e-3  # RMSE to which albedo · shading (+ residual), or the sum of layers, must give the photo back
AT_ONCE = 1e-6  # seconds after which an interrupted run stops: after its first step


def check_method(
    spec: MethodSpec, stage: str | None = None, name: str = "", data: DatasetSpec = TINY
) -> None:
    """Check one method: description, training of ``stage`` (None: of all) and, after the last
    stage, decomposing.

    ``data`` is for methods that need batches the little scenes do not offer.
    """
    check_description(spec, name, data)
    variant = spec.variant(name)
    with tempfile.TemporaryDirectory(prefix="iid-check-") as folder:
        for name in variant.stages if stage is None else (stage,):
            path = check_stage(spec, name, variant, data, Path(folder) / name)
            if name == variant.stages[-1]:
                check_decomposing(spec, variant, load_weights(path)[0])
        if not variant.stages:
            check_decomposing(spec, variant, {})


def check_description(spec: MethodSpec, name: str, data: DatasetSpec = TINY) -> None:
    """What a MethodSpec says of itself holds."""
    _expect(
        spec.name.isidentifier() and spec.name == spec.name.lower(),
        f"the name {spec.name!r} is a lower-case word",
    )
    _expect(bool(spec.summary) and "\n" not in spec.summary, "the summary is one line")
    _expect(name in ("", *spec.variant_names), f"{name!r} is one of its variants")
    variant = spec.variant(name)
    _expect(bool(variant.layers), f"the variant {name!r} names its layers")
    _expect(isinstance(open_method(spec), Method), "the target is a Method")
    for kind in (variant.options, variant.config):
        _expect(
            is_dataclass(kind) and all("help" in item.metadata for item in fields(kind)),
            f"{kind} is made of knobs",
        )
        _expect(settings.settle(kind, {}, ()) is not None, f"{kind} has defaults")
    _expect(issubclass(variant.config, TrainConfig), "its config is a TrainConfig")
    _expect(variant.needs <= data.offers, f"{data.name} offers {', '.join(sorted(variant.needs))}")


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
    scene = _scene(np.random.default_rng(7), *ODD)["photo"]
    deep = (scene / scene.max() * 65535).astype(np.uint16)
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
    source = open_dataset(data.name, _registry(spec, data))
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
        name, data.name, folder, overrides=overrides, device="cpu", precision="fp32", **more
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


def open_tiny(path: Path | None) -> Tiny:
    """The reader behind :data:`TINY`."""
    return Tiny()


@dataclass(frozen=True)
class Tiny(Source):
    """Patches of colour on a wavy ground under one light, made up from a seed."""

    name: str = "tiny"
    protocol: str = "synth"
    offers: frozenset[str] = OFFERS
    key: int = 0

    def part(self, index: int, count: int) -> Tiny:
        """Scenes of other seeds."""
        return replace(self, key=self.key * count + index + 1)

    def batches(
        self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0
    ) -> Iterator[Batch]:
        """See :meth:`intrinsic_cli.api.Source.batches`; ``val`` has two batches."""
        number = start
        while split == "train" or number < 2:
            key = (
                *((self.key,) if self.key else ()),
                seed if split == "train" else 1 << 20,
                number,
            )
            scenes = [_scene(np.random.default_rng((*key, row)), crop, crop) for row in range(size)]
            yield {name: torch.stack([_tensor(scene[name]) for scene in scenes]) for name in OFFERS}
            number += 1

    def cases(self, split: Split = "val") -> Sequence[Case]:
        """Three scenes of an odd size."""
        return [self._case(number, split) for number in range(3)]

    def _case(self, number: int, split: Split) -> Case:
        key = (*((self.key,) if self.key else ()), number, split == "val")
        scene = _scene(np.random.default_rng(key), *ODD)
        truth = {name: scene[name] for name in ("albedo", "shading", "normals")}
        return Case(f"scene{number}", scene["photo"], truth, scene["mask"][..., 0] > 0)


def _scene(rng: np.random.Generator, height: int, width: int) -> Mapping[str, Array]:
    """One scene: [H,W,C] each, linear."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    seeds = rng.uniform(0, 1, (6, 2)) * (height, width)
    ids = np.argmin([(y - a) ** 2 + (x - b) ** 2 for a, b in seeds], axis=0)
    albedo = rng.uniform(0.1, 0.9, (6, 3))[ids]
    normals = _wavy(rng, y / height, x / width)
    light = np.array([*rng.uniform(-0.6, 0.6, 2), 1.0])
    shading = 0.2 + np.maximum(normals @ (light / np.linalg.norm(light)), 0)[..., None]
    mask = np.ones((height, width, 1))
    mask[:2] = 0  # truth with a hole in it, as real truth has
    made = {
        "photo": albedo * shading,
        "albedo": albedo,
        "shading": shading.repeat(3, axis=2),
        "mask": mask,
        "normals": normals,
    }
    return {name: np.ascontiguousarray(values, np.float32) for name, values in made.items()}


def _wavy(rng: np.random.Generator, y: Array, x: Array) -> NDArray[Any]:
    """Unit normals [H,W,3] of a ground of sines: x right, y up, z to the viewer."""
    along, across, phase = rng.uniform(2, 8, 3)
    slope = 0.6 * np.cos(along * x + across * y + phase)
    normals = np.stack([-slope * along / 8, slope * across / 8, np.ones_like(slope)], axis=2)
    unit: NDArray[Any] = normals / np.linalg.norm(normals, axis=2, keepdims=True)
    return unit


def _tensor(image: Array) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)
