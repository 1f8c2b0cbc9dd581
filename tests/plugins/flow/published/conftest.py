"""Numbers of the published networks, and networks filled with weights anyone can generate again."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iid_flow.published.networks import NETS

FIXTURES = Path(__file__).parents[3] / "fixtures" / "flow"
#: The name each variant has in the fixture files.
PUBLISHED = {"albedo16": "original", "shading8": "flowiid"}


def generated(key: str, like: Tensor) -> Tensor:
    """The fixtures' weights: drawn from a generator seeded by the key's name, scaled by the kind of
    the tensor."""
    if not like.is_floating_point():
        return like.clone()
    shape = tuple(like.shape)
    x = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape, dtype=np.float32)
    return torch.from_numpy(_scaled(x, key))


def _scaled(x: Any, key: str) -> Any:
    if key.endswith("running_var"):
        return 1 + 0.1 * np.abs(x)
    if key.endswith("running_mean"):
        return 0.1 * x
    if key.endswith(".bias"):
        return 0.05 * x
    return 1 + 0.1 * x if x.ndim == 1 else x / np.float32(math.sqrt(math.prod(x.shape[1:])))


@pytest.fixture(scope="session")
def fixture_file() -> Callable[[str], Mapping[str, Any]]:
    """Opens a fixture archive by its name."""
    return lambda name: np.load(FIXTURES / f"{name}.npz")


@pytest.fixture(scope="session")
def published_keys() -> Callable[[str, str], list[tuple[str, str]]]:
    """Key and shape, in order, of a published state dict."""

    def read(variant: str, net: str) -> list[tuple[str, str]]:
        lines = (FIXTURES / f"keys_{PUBLISHED[variant]}_{net}.txt").read_text().splitlines()
        return [(key, shape) for key, shape, _ in (line.split("\t") for line in lines if line)]

    return read


@pytest.fixture(scope="session")
def generated_nets() -> Callable[[str], dict[str, nn.Module]]:
    """All four networks of a variant with generated weights, in eval mode; made once, not to be
    trained."""
    made: dict[str, dict[str, nn.Module]] = {}

    def nets(variant: str) -> dict[str, nn.Module]:
        if variant not in made:
            made[variant] = {name: _fill(maker(variant), name) for name, maker in NETS.items()}
        return made[variant]

    return nets


def _fill(net: nn.Module, name: str) -> nn.Module:
    net.load_state_dict({key: generated(f"{name}.{key}", x) for key, x in net.state_dict().items()})
    return net.eval()
