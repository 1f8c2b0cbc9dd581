"""Numbers of the published networks, a plain restatement of them, and where both are found."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from iid_latent.usi3d.original import build_for, convert

ROOT = Path(__file__).parents[4]
FIXTURES = ROOT / "tests" / "fixtures" / "latent"
#: Tiny networks and what they answer: too large for this repository, used where they lie beside or
#: in it.
LARGER = [folder / "shared" / "fixtures" / "latent" for folder in (ROOT, ROOT.parent)]

State = Mapping[str, Mapping[str, Tensor]]


@pytest.fixture(scope="session")
def shared_file() -> Callable[[str], Path]:
    """The path of a fixture that is not part of the repository; skips where it is absent."""

    def find(name: str) -> Path:
        for folder in LARGER:
            if (folder / name).is_file():
                return folder / name
        pytest.skip(
            f"the fixture {name} is not part of the repository; it is looked for in "
            "shared/fixtures/latent"
        )

    return find


@pytest.fixture(scope="session")
def truth(shared_file: Callable[[str], Path]) -> Callable[[str], Tensor]:
    """A tensor of ``parity_infer.npz``."""
    archive = np.load(shared_file("tiny/parity_infer.npz"))
    return lambda name: torch.from_numpy(archive[name])


@pytest.fixture(scope="session")
def tiny_state(shared_file: Callable[[str], Path]) -> State:
    """All seven tiny networks of the fixtures, converted."""
    state: dict[str, Any] = {}
    for name in ("gen", "dis"):
        found = convert(torch.load(shared_file(f"tiny/{name}_00000001.pt"), weights_only=True))
        assert found is not None
        state |= found[1]
    return state


@pytest.fixture
def tiny_nets(tiny_state: State) -> dict[str, nn.Module]:
    return build_for(tiny_state)


@pytest.fixture(scope="session")
def plain() -> Callable[[State, Tensor], tuple[Tensor, Tensor]]:
    """The networks written down again, without anything of the plugin."""
    bench = runpy.run_path(str(ROOT / "tests" / "bench" / "bench_latent.py"))
    restatement: Callable[[State, Tensor], tuple[Tensor, Tensor]] = bench["published"]
    return restatement


@pytest.fixture(scope="session")
def key_list() -> Callable[[str], list[tuple[str, str, str]]]:
    """(part, key, shape) of a published file, in order."""

    def read(name: str) -> list[tuple[str, str, str]]:
        lines = (FIXTURES / f"KEYS_usi3d_{name}.txt").read_text().splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        return [(row[0], row[1], row[2]) for row in rows if len(row) == 4]

    return read
