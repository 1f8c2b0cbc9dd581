"""Numbers of the published networks, and weights made from the names of tensors;
lets these tests import the training they share."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

FIXTURES = Path(__file__).parents[2] / "fixtures" / "residual"


@pytest.fixture(scope="session")
def key_list() -> Callable[[str], dict[str, tuple[int, ...]]]:
    """Names and shapes (where the list has them) of a published state dict, in order."""

    def read(name: str) -> dict[str, tuple[int, ...]]:
        rows = (FIXTURES / f"state_dict_{name}.txt").read_text().splitlines()
        pairs = [row.partition("\t") for row in rows]
        return {key: _sides(shape) for key, _, shape in pairs}

    return read


def _sides(shape: str) -> tuple[int, ...]:
    return tuple(int(side) for side in shape.strip("()").split(",") if side)


@pytest.fixture(scope="session")
def made_up() -> Callable[[nn.Module], dict[str, Tensor]]:
    """Weights generated from their names, by the rule of the fixtures."""

    def make(network: nn.Module) -> dict[str, Tensor]:
        return {key: _tensor(key, x) for key, x in network.state_dict().items()}

    return make


def _tensor(key: str, like: Tensor) -> Tensor:
    if not like.is_floating_point():
        return like
    numbers = np.random.default_rng(zlib.crc32(key.encode()))
    x = torch.from_numpy(numbers.standard_normal(tuple(like.shape), dtype=np.float32))
    if key.endswith("running_var"):
        return 1 + 0.1 * x.abs()
    if key.endswith("running_mean"):
        return 0.1 * x
    if key.endswith(".bias"):
        return 0.05 * x
    if x.ndim == 1:
        return 1 + 0.1 * x
    return x / np.sqrt(np.prod(like.shape[1:]))


@pytest.fixture(scope="session")
def photos() -> Tensor:
    """What the published answers were given to."""
    return torch.from_numpy(np.random.default_rng(7).random((2, 3, 128, 128), np.float32))


@pytest.fixture(scope="session")
def parity() -> Callable[[str], list[dict[str, np.ndarray]]]:
    """The answers of one network: shape, mean and spread, some pixels; one after the other."""
    archive = np.load(FIXTURES / "parity.npz")

    def answers(name: str) -> list[dict[str, np.ndarray]]:
        count = sum(key.startswith(f"{name}.") and key.endswith(".shape") for key in archive.files)
        parts = {"shape": ".shape", "mean_std": ".mean_std", "pixels": ""}
        return [
            {part: archive[f"{name}.{i}{end}"] for part, end in parts.items()} for i in range(count)
        ]

    return answers
