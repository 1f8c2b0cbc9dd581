"""The conformance suite catches each broken promise."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from iid_gray.method import Brightness, Gray, GrayTrainer
from torch import Tensor

from intrinsic_cli.api import (
    DatasetSpec,
    Decomposer,
    Frame,
    Mesh,
    MethodSpec,
    Outputs,
    Runtime,
    TrainConfig,
)
from intrinsic_cli.registry import load_registry
from intrinsic_cli.testing import check_method
from intrinsic_cli.testing_source import ODD, OFFERS, Tiny

GRAY = load_registry().methods["gray"]


class Still(Gray):
    """Learns nothing."""

    def trainer(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> Any:
        return GrayTrainer(replace(config, lr=0.0), source, runtime)


class Forgetful(Gray):
    """Its steps depend on how often it was made, which no checkpoint holds."""

    made = 0

    def trainer(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> Any:
        Forgetful.made += 1
        return GrayTrainer(replace(config, lr=config.lr * Forgetful.made), source, runtime)


class Careless(GrayTrainer):
    """Counts its steps outside the checkpoint."""

    count = 0

    def step(
        self, batch: Mapping[str, torch.Tensor], minimise: Any, number: int
    ) -> Mapping[str, torch.Tensor]:
        self.count += 1
        loss = self._loss(batch) * (1.0 if self.count == 1 else -1.0)
        minimise(loss, "adam")
        return {"loss": loss.detach()}


class Unresumable(Gray):
    def trainer(self, stage: str, config: TrainConfig, source: Any, runtime: Runtime) -> Any:
        return Careless(config, source, runtime)


class Answers(Gray):
    """Answers with what ``said`` makes of photos and shading."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        raise NotImplementedError

    def decomposer(self, state: Any, options: Any, runtime: Runtime) -> Decomposer:
        net, said = Brightness(), self.said

        class Said(Decomposer):
            frame = Frame(upsample="resize" if self.resizes else "none")  # type: ignore[arg-type]

            def __call__(self, photos: Tensor) -> Any:
                return said(photos, net(photos))

        return Said()

    #: Otherwise nothing is upsampled, and the layers have to rebuild the photo.
    resizes = True


class Partial(Answers):
    """Forgets a layer."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"shading": shading}


class Moody(Answers):
    """Gives another answer every time."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        shading = shading * float(np.random.default_rng().uniform(1, 2))
        return {"albedo": photos / shading, "shading": shading}


class Negative(Answers):
    """Adds up, but with less than no reflection."""

    resizes = False

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"transmission": photos * 2, "reflection": photos * -1}


class Lossy(Answers):
    """Its layers are less than the photo."""

    resizes = False

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"transmission": photos / 4, "reflection": photos / 4}


class Loud(Answers):
    """Its mask is more than one."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"mask": shading * 0 + 2}


class Meshless(Answers):
    """Gives no mesh."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"mask": shading * 0}


class Listed(Answers):
    """Takes any list for a mesh."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        return {"mask": shading * 0, "mesh": [[1, 2, 3]] * len(photos)}


class Nonsense(Answers):
    """Its mesh has points that are no numbers."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        mesh = Mesh(np.full((3, 3), np.nan), np.array([[0, 1, 2]]))
        return Outputs({"mask": shading * 0}, meshes={"mesh": [mesh] * len(photos)})


class Flat(Answers):
    """Its mesh has no triangle."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        mesh = Mesh(np.eye(3), np.zeros((0, 3), int))
        return Outputs({"mask": shading * 0}, meshes={"mesh": [mesh] * len(photos)})


class Restless(Answers):
    """Its record tells the time."""

    @staticmethod
    def said(photos: Tensor, shading: Tensor) -> Any:
        record = {"now": time.perf_counter_ns()}
        return Outputs({"mask": shading * 0}, records={"camera": [record] * len(photos)})


def spec(kind: type, **more: Any) -> MethodSpec:
    variant = replace(GRAY.default, **more)
    return replace(GRAY, target=f"{__name__}:{kind.__name__}", variants=(variant,))


def test_a_method_that_keeps_its_promises_passes() -> None:
    check_method(GRAY)


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Still, "training moves the net 'brightness'"),
        (Forgetful, "two runs with one seed"),
        (Unresumable, "a resumed run gives the same weights"),
    ],
)
def test_broken_promises_of_training_are_named(kind: type, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(spec(kind))


SUMS = ("transmission", "reflection")
MESH = ("mask", "mesh")


@pytest.mark.parametrize(
    ("kind", "layers", "promise"),
    [
        (
            Partial,
            ("albedo", "shading"),
            "a colour photo is decomposed: .* no output 'albedo'",
        ),
        (Moody, ("albedo", "shading"), "a colour photo: albedo is the same every time"),
        (Negative, SUMS, "reflection is nowhere negative"),
        (Lossy, SUMS, "reflection . flare give the photo back"),
        (Loud, ("mask",), "mask is at most 1.0, not 2"),
        (Meshless, MESH, "gave no output 'mesh'"),
        (Listed, MESH, "layer 'mesh'|'mesh' as a layer"),
        (Nonsense, MESH, "vertices that are not finite"),
        (Flat, MESH, "mesh"),
        (Restless, ("mask", "camera"), "camera is the same every time"),
    ],
)
def test_broken_promises_of_decomposing_are_named(
    kind: type, layers: tuple[str, ...], promise: str
) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(spec(kind, layers=layers, stages=()))


@pytest.mark.parametrize(
    ("more", "promise"),
    [
        ({"name": "Gray Method"}, "lower-case"),
        ({"summary": ""}, "summary"),
    ],
)
def test_descriptions_are_checked(more: dict[str, Any], promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(replace(GRAY, **more))


@pytest.mark.parametrize(
    ("more", "promise"),
    [
        ({"layers": ()}, "layers"),
        ({"needs": frozenset({"unheard_of"})}, "unheard_of"),
        ({"config": object}, "TrainConfig|knobs"),
    ],
)
def test_variants_are_checked(more: dict[str, Any], promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(spec(Gray, **more))


def test_a_variant_that_does_not_exist() -> None:
    with pytest.raises(AssertionError, match="'glass' is one of its variants"):
        check_method(GRAY, name="glass")


def open_deep(path: Any) -> Tiny:
    return Tiny("deep", offers=OFFERS | {"depth"})


def test_another_dataset_may_be_brought() -> None:
    target = f"{__name__}:open_deep"
    data = DatasetSpec("deep", "with depth", target, OFFERS | {"depth"}, needs_path=False)
    mine = replace(GRAY, variants=(replace(GRAY.default, needs=frozenset({"depth"})),))
    check_method(mine, data=data)


def test_the_little_scenes_are_true() -> None:
    case = Tiny().cases()[0]
    assert case.photo.shape == (*ODD, 3)
    assert np.allclose(case.truth["albedo"] * case.truth["shading"], case.photo, atol=1e-6)
    assert np.allclose(np.linalg.norm(case.truth["normals"], axis=2), 1, atol=1e-5)


def test_batches_depend_on_seed_and_number_alone() -> None:
    source = Tiny()
    third = [
        batch for batch, _ in zip(source.batches("train", 2, 8, seed=1), range(3), strict=False)
    ][2]
    again = next(source.batches("train", 2, 8, seed=1, start=2))
    other = next(source.batches("train", 2, 8, seed=2, start=2))
    assert all(torch.equal(third[name], again[name]) for name in OFFERS)
    assert not torch.equal(third["photo"], other["photo"])
    assert len(list(source.batches("val", 2, 8))) == 2
