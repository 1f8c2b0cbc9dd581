"""Weights written and read, networks matched, foreign state dicts unwrapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from intrinsic_cli.api import WeightsError
from intrinsic_cli.kit.networks.checkpoint import (
    load_into,
    load_weights,
    require_shapes,
    save_weights,
    state_of,
    unwrapped,
)
from intrinsic_cli.kit.networks.matching import load_matching, match_nets
from intrinsic_cli.kit.networks.weights_file import check_file, read_record

STATE = {"a": {"w": torch.full((2, 2), 0.1), "b": torch.full((2,), 0.1)}}


def test_half_precision_is_for_matrices_alone(tmp_path: Path) -> None:
    save_weights(tmp_path / "x.safetensors", STATE, {"steps": 1}, half=True)
    state, record = load_weights(tmp_path / "x.safetensors")
    assert record == {"steps": 1}
    assert {x.dtype for x in state["a"].values()} == {torch.float32}
    assert torch.equal(state["a"]["b"], STATE["a"]["b"])
    assert torch.equal(state["a"]["w"], STATE["a"]["w"].half().float())
    save_weights(tmp_path / "y.safetensors", STATE, {})
    assert torch.equal(load_weights(tmp_path / "y.safetensors")[0]["a"]["w"], STATE["a"]["w"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused(
    tmp_path: Path, dtype: torch.dtype, bad: float
) -> None:
    path = tmp_path / "x.safetensors"
    x = torch.zeros(5, dtype=dtype)
    x[0] = torch.finfo(dtype).max
    save_file({"a|w": x, "a|n": torch.tensor(3)}, path)
    check_file(path)
    load_weights(path)
    x[3] = bad
    save_file({"a|w": x}, path)
    with pytest.raises(WeightsError, match=r"tensor 'a\|w' holds numbers that are not finite"):
        check_file(path)
    with pytest.raises(WeightsError, match=r"not finite, first in a\|w"):
        load_weights(path)


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    save_file({}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="holds no tensors"):
        check_file(tmp_path / "x.safetensors")


@pytest.mark.parametrize("record", ["[1]", "3", '"word"'])
def test_records_of_other_types_tell_nothing(tmp_path: Path, record: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a|w": torch.zeros(1)}, path, metadata={"record": record})
    assert load_weights(path)[1] == {}
    assert read_record(path) == {}


@pytest.mark.parametrize("record", ["[" * 100_000, "{", "nul"])
def test_records_that_cannot_be_read_are_told(tmp_path: Path, record: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a|w": torch.zeros(1)}, path, metadata={"record": record})
    for read in (check_file, read_record, load_weights):
        with pytest.raises(WeightsError):
            read(path)


ENTRY: dict[str, Any] = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 100_000,
        b"[]",
        b"3",
        b'{"a":' * 50_000,
        *(
            json.dumps(header).encode()
            for header in (
                {"a": 3},
                {"a": ENTRY, "__metadata__": 3},
                {"a": ENTRY, "__metadata__": {"record": 3}},
                {"a": ENTRY, "__metadata__": {"record": {"a": 1}}},
                {"a": {**ENTRY, "shape": ["1"]}},
                {"a": {**ENTRY, "shape": [-1]}},
                {"a": {**ENTRY, "shape": 1}},
                {"a": {**ENTRY, "shape": [True]}},
                {"a": {**ENTRY, "data_offsets": [0.0, 4.0]}},
                {"a": {**ENTRY, "data_offsets": [-4, 0]}},
                {"a": {**ENTRY, "data_offsets": ["0", "4"]}},
                {"a": {**ENTRY, "data_offsets": [0, 4, 8]}},
                {"a": {**ENTRY, "dtype": "F33"}},
                {"a": {**ENTRY, "dtype": ["F32"]}},
            )
        ),
    ],
)
def test_headers_of_other_shapes_are_told(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(WeightsError, match="not a whole weights file"):
        check_file(path)
    with pytest.raises(WeightsError):
        load_weights(path)


def test_wrappers_are_taken_off() -> None:
    state = {"module.a._orig_mod.w": 1, "module.b": {"_orig_mod.c": 2}, "module.module.d": 3}
    assert unwrapped(state) == {"a.w": 1, "b": {"c": 2}, "module.d": 3}
    assert unwrapped({"module.a": 1, "head": 2, 3: 4}) == {"module.a": 1, "head": 2, 3: 4}
    assert unwrapped({}) == {}


def nets() -> dict[str, nn.Module]:
    return {"a": nn.Linear(2, 3), "b": nn.Linear(3, 1), "c": nn.Linear(1, 1)}


def test_nets_are_matched_by_name_and_shapes() -> None:
    ours, theirs = nets(), nets()
    state = {"a": theirs["a"].state_dict(), "b": nn.Linear(4, 1).state_dict(), "z": {}}
    match = match_nets(ours, state)
    assert (match.taken, match.tensors, match.unlike, match.absent) == (("a",), 2, ("b",), ("c",))
    before = state_of(ours)
    assert load_matching(ours, state) == match
    after = state_of(ours)
    assert torch.equal(after["a"]["weight"], theirs["a"].state_dict()["weight"])
    assert torch.equal(after["b"]["weight"], before["b"]["weight"])


def test_nets_that_are_to_be_kept_stay() -> None:
    ours, theirs = nets(), nets()
    before = state_of(ours)
    assert load_matching(ours, state_of(theirs), keep={"a"}).taken == ("b", "c")
    assert torch.equal(state_of(ours)["a"]["weight"], before["a"]["weight"])


def test_more_or_fewer_tensors_do_not_match() -> None:
    ours = {"a": nn.Linear(2, 3)}
    for state in (nn.Linear(2, 3, bias=False).state_dict(), {**nets()["a"].state_dict(), "x": 0}):
        assert match_nets(ours, {"a": {k: torch.as_tensor(v) for k, v in state.items()}}).unlike


def test_nets_that_are_missing_or_do_not_fit_are_told() -> None:
    net = nn.Linear(2, 3)
    with pytest.raises(WeightsError, match="hold no network 'a', only b") as caught:
        load_into(net, {"b": {}}, "a")
    assert "another method" in caught.value.hint
    with pytest.raises(WeightsError, match=r"hold no network 'a'$"):
        load_into(net, {}, "a")
    with pytest.raises(WeightsError, match="do not fit the network 'a': size mismatch"):
        load_into(net, {"a": nn.Linear(2, 4).state_dict()}, "a")
    with pytest.raises(WeightsError, match="looks like a line, but bias does not fit") as caught:
        require_shapes({"weight": torch.zeros(3, 2)}, net, "a line")
    assert "1 of 2" in caught.value.hint
    require_shapes(net.state_dict(), net, "a line")


def test_the_state_is_a_copy() -> None:
    ours = nets()
    state = state_of(ours)
    with torch.no_grad():
        ours["a"].weight.add_(1)  # type: ignore[operator, union-attr]
    assert not torch.equal(state["a"]["weight"], state_of(ours)["a"]["weight"])
