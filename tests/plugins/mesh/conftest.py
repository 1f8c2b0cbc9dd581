"""Checkpoints as the published code writes them, with numbers made up from their names."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_mesh.networks.mesh_net import MeshNet
from iid_mesh.networks.state import load
from iid_mesh.original import convert
from iid_mesh.template import icosphere

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mesh"
Checkpoint = dict[str, Tensor]


@pytest.fixture(scope="session")
def checkpoint() -> Callable[[str], Checkpoint]:
    """The state dict of a stage, s1 or s2; in s1, which has no published answers, the largest
    tensors are zero, for that is faster."""

    made: dict[str, Checkpoint] = {}

    def make(stage: str) -> Checkpoint:
        if stage not in made:
            rows = (FIXTURES / f"keys_{stage}.txt").read_text().splitlines()
            most = 1 << 20 if stage == "s1" else 1 << 30
            made[stage] = dict(_tensor(*row.split("\t"), most) for row in rows)
        return dict(made[stage])

    return make


@pytest.fixture(scope="session")
def imported(checkpoint: Callable[[str], Checkpoint]) -> Callable[[str], MeshNet]:
    """The network of a stage, its checkpoint read; not to be changed."""
    made: dict[str, MeshNet] = {}

    def make(stage: str) -> MeshNet:
        if stage not in made:
            found = convert(checkpoint(stage))
            assert found is not None
            assert found[0] == ""
            with pytest.MonkeyPatch.context() as patch:
                for name in ("kaiming_uniform_", "uniform_", "normal_"):
                    patch.setattr(torch.nn.init, name, _left_alone)
                made[stage] = load(found[1]).eval().requires_grad_(False)
        return made[stage]

    return make


def _left_alone(x: Tensor, *given: object, **named: object) -> Tensor:
    """In place of random numbers that are overwritten at once: there are 85 million of them."""
    return x


def _tensor(key: str, shape: str, dtype: str, most: int) -> tuple[str, Tensor]:
    """A row of a key list with numbers; zeros where there would be more than ``most``."""
    sides = tuple(int(side) for side in shape.strip("()").split(",") if side)
    if dtype == "torch.int64":
        return key, torch.zeros(sides, dtype=torch.int64)
    if np.prod(sides) > most:
        return key, torch.zeros(sides)
    if key == "mean_v":
        sphere = icosphere()
        return key, sphere.vertices[: sphere.half_vertices].clone()
    numbers = np.random.default_rng(zlib.crc32(key.encode()))
    x = torch.from_numpy(numbers.standard_normal(sides, dtype=np.float32))
    return key, _as_wide_as_usual(key, x)


def _as_wide_as_usual(key: str, x: Tensor) -> Tensor:
    """The rule of the fixtures."""
    if key.endswith("running_var"):
        return 1 + 0.1 * x.abs()
    if key.endswith("running_mean"):
        return 0.1 * x
    if key.endswith(".bias"):
        return 0.05 * x
    if x.ndim == 1:
        return 1 + 0.1 * x
    return x / np.sqrt(np.prod(x.shape[1:]))
