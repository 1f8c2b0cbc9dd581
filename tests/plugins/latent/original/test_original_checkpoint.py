"""Checkpoints of the published code: recognised, imported, refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_latent.usi3d.original import build, convert
from intrinsic_cli.api import MethodSpec, Variant, WeightsError
from intrinsic_cli.kit.networks.checkpoint import load_weights, state_of
from intrinsic_cli.registry import Registry
from intrinsic_cli.runs.import_weights import import_checkpoint

OURS = {"i": "gen_i", "r": "gen_r", "s": "gen_s", "fs": "fea_s", "fm": "fea_m"}
FILES = ("gen_00000001.pt", "gen_npbest_zip.pt", "gen_npbest_legacy.pt", "dis_00000001.pt")
GENERATORS = sorted(OURS.values())
REGISTRY = Registry(
    {
        "usi3d": MethodSpec(
            "usi3d",
            "unsupervised",
            "iid_latent.usi3d.method:Usi3d",
            tuple(map(Variant, ("", "MPI", "MIT", "MIX_IIW", "ShapeNet"))),
        )
    }
)

State = Mapping[str, Mapping[str, Tensor]]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(0)
    return state_of(build("MPI", dim=4))


def original(state: State) -> dict[str, Any]:
    """The layout of ``gen_*.pt``, with the buffers nobody uses."""
    file: dict[str, Any] = {theirs: dict(state[ours]) for theirs, ours in OURS.items()}
    file["r"]["dec.model.0.model.0.model.0.norm.running_mean"] = torch.zeros(16)
    file["r"]["dec.model.0.model.0.model.0.norm.running_var"] = torch.ones(16)
    return {**file, "best_result": 3.5}


def test_both_files_are_taken_apart(state: State) -> None:
    found = convert(original(state)), convert({name: state[f"dis_{name}"] for name in "rs"})
    for taken, names in zip(found, (GENERATORS, ["dis_r", "dis_s"]), strict=True):
        assert taken is not None
        assert taken[0] == "MPI"
        assert sorted(taken[1]) == names
        for name, part in taken[1].items():
            assert {k: x.shape for k, x in part.items()} == {
                k: x.shape for k, x in state[name].items()
            }


def test_long_styles_are_those_of_mix_iiw() -> None:
    taken = convert(original(state_of(build("MIX_IIW", dim=4))))
    assert taken is not None
    assert taken[0] == "MIX_IIW"


def test_the_ablation_without_mapping_is_taken(state: State) -> None:
    file = original(state)
    del file["fs"], file["fm"]
    taken = convert(file)
    assert taken is not None
    assert sorted(taken[1]) == ["gen_i", "gen_r", "gen_s"]


@pytest.mark.parametrize(
    "file", [{}, {"weight": torch.zeros(1)}, {"r": {}, "s": {}}, {"i": 1, "r": 2, "s": 3}]
)
def test_other_files_are_not_ours(file: Mapping[str, Any]) -> None:
    assert convert(file) is None


def test_incomplete_files_are_refused(state: State) -> None:
    file = original(state)
    del file["fm"]
    with pytest.raises(WeightsError, match="fea_m are missing"):
        convert(file)
    file = original(state)
    del file["s"]["dec.model.5.conv.bias"]
    with pytest.raises(
        WeightsError, match=r"USI3D's gen_s, but dec\.model\.5\.conv\.bias does not fit"
    ):
        convert(file)
    file = original(state)
    del file["fs"]["mlp.model.0.fc.weight"]
    with pytest.raises(WeightsError, match="'fea_s' misses the tensors that tell its size"):
        convert(file)


@pytest.mark.parametrize("name", FILES)
def test_import(name: str, shared_file: Callable[[str], Path]) -> None:
    made = import_checkpoint(shared_file(f"tiny/{name}"), REGISTRY)
    nets, record = load_weights(made)
    assert made.name == "usi3d-MPI.safetensors"
    assert (record["method"], record["variant"]) == ("usi3d", "MPI")
    assert sorted(nets) == (GENERATORS if name.startswith("gen") else ["dis_r", "dis_s"])
    assert not any("running" in key for part in nets.values() for key in part)


def test_variants_of_equal_shapes_are_told_by_name(tmp_path: Path, state: State) -> None:
    torch.save(original(state), tmp_path / "MIT.pt")
    torch.save({name: dict(state[f"dis_{name}"]) for name in "rs"}, tmp_path / "dis.pt")
    for file in ("MIT.pt", "dis.pt"):
        made = import_checkpoint(tmp_path / file, REGISTRY, "usi3d-MIT")
    nets, record = load_weights(made)
    assert record["variant"] == "MIT"
    assert sorted(nets) == sorted([*GENERATORS, "dis_r", "dis_s"])
