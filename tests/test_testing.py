"""The conformance suite catches each broken promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from iid_gray.method import Gray, GrayDecomposer, GrayTrainer

from intrinsic_cli.api import DatasetSpec, Frame, MethodSpec, Runtime, TrainConfig
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


class Partial(Gray):
    """Forgets a layer."""

    def decomposer(self, state: Any, options: Any, runtime: Runtime) -> Any:
        class OnlyShading(GrayDecomposer):
            def __call__(self, photos: torch.Tensor) -> Mapping[str, torch.Tensor]:
                return {"normals": super().__call__(photos)["shading"]}

        return OnlyShading(super().decomposer(state, options, runtime).net)  # type: ignore[attr-defined]


class Moody(Gray):
    """Gives another answer every time."""

    def decomposer(self, state: Any, options: Any, runtime: Runtime) -> Any:
        class Random(GrayDecomposer):
            def __call__(self, photos: torch.Tensor) -> Mapping[str, torch.Tensor]:
                shading = super().__call__(photos)["shading"] * float(
                    np.random.default_rng().uniform(1, 2)
                )
                return {"albedo": photos / shading, "shading": shading}

        return Random(super().decomposer(state, options, runtime).net)  # type: ignore[attr-defined]


class Negative(Gray):
    """Adds up, but with less than no reflection."""

    def decomposer(self, state: Any, options: Any, runtime: Any) -> Any:
        class Sum(GrayDecomposer):
            frame = Frame(upsample="none")  # type: ignore[arg-type]  # so that the house leaves the layers alone

            def __call__(self, photos: torch.Tensor) -> Mapping[str, torch.Tensor]:
                return {"transmission": photos * 2, "reflection": photos * -1}

        return Sum(super().decomposer(state, options, runtime).net)  # type: ignore[attr-defined]


class Lossy(Gray):
    """Its layers are less than the photo."""

    def decomposer(self, state: Any, options: Any, runtime: Any) -> Any:
        class Half(GrayDecomposer):
            frame = Frame(upsample="none")  # type: ignore[arg-type]  # as above

            def __call__(self, photos: torch.Tensor) -> Mapping[str, torch.Tensor]:
                return {"transmission": photos / 4, "reflection": photos / 4}

        return Half(super().decomposer(state, options, runtime).net)  # type: ignore[attr-defined]


def spec(kind: type, **more: Any) -> MethodSpec:
    return replace(GRAY, target=f"{__name__}:{kind.__name__}", **more)


def test_a_method_that_keeps_its_promises_passes() -> None:
    check_method(GRAY)


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Still, "training moves the net 'brightness'"),
        (Forgetful, "two runs with one seed"),
        (Unresumable, "a resumed run gives the same weights"),
        (Partial, "gives the layers albedo, shading"),
        (Moody, "is the same every time"),
    ],
)
def test_broken_promises_are_named(kind: type, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(spec(kind))


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Negative, "reflection is nowhere negative"),
        (Lossy, "reflection . flare give the photo back"),
    ],
)
def test_sums_are_checked(kind: type, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(spec(kind, layers=("transmission", "reflection")))


@pytest.mark.parametrize(
    ("more", "promise"),
    [
        ({"name": "Gray Method"}, "lower-case"),
        ({"summary": ""}, "summary"),
        ({"layers": ()}, "layers"),
        ({"needs": frozenset({"depth"})}, "depth"),
        ({"config": object}, "knobs"),
        ({"variant_layers": {"glass": ("pane",)}}, "'glass' is one of its variants"),
    ],
)
def test_descriptions_are_checked(more: dict[str, Any], promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_method(replace(GRAY, **more))


def open_deep(path: Any) -> Tiny:
    return Tiny("deep", offers=OFFERS | {"depth"})


def test_another_dataset_may_be_brought() -> None:
    data = DatasetSpec(
        "deep", "with depth", f"{__name__}:open_deep", OFFERS | {"depth"}, needs_path=False
    )
    check_method(replace(GRAY, needs=frozenset({"depth"})), data=data)


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
