"""``last.pt``: damaged ones cost a sentence, and no file runs code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from line_trainer import Line, loop
from torch import nn

from intrinsic_cli.api import Silent, WeightsError
from intrinsic_cli.kit.training.checkpoint import StageState, read_state


class Payload:
    """What a malicious file would hold."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("touched",)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off", b"\x80\x02}q"])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"last.pt is not a readable checkpoint") as caught:
        loop(tmp_path, Line()).run(Silent())
    assert "anew" in caught.value.hint
    with pytest.raises(WeightsError, match=r"last.pt is not a readable checkpoint"):
        read_state(path)


@pytest.mark.parametrize(
    "saved",
    [[1], {}, {"standing": 3}, {"standing": [1, 2, 3], "figures": {}, "nets": []}, {"nets": 1}],
)
def test_other_contents_are_told(tmp_path: Path, saved: Any) -> None:
    torch.save(saved, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match=r"last\.pt"):
        loop(tmp_path, Line()).run(Silent())


def test_a_state_of_wrong_types_is_told(tmp_path: Path) -> None:
    torch.save({"standing": ["a", 1, 2], "figures": {}}, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="not a readable checkpoint"):
        read_state(tmp_path / "last.pt")


def test_other_networks_are_told(tmp_path: Path) -> None:
    loop(tmp_path, Line(), steps=1).run(Silent())
    wider = Line()
    wider.net = nn.Linear(1, 2, bias=False)
    wider.nets = {"line": wider.net}
    with pytest.raises(WeightsError, match="does not fit this run"):
        loop(tmp_path, wider, steps=2).run(Silent())


def test_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"standing": Payload()}, tmp_path / "last.pt")
    with pytest.raises(WeightsError):
        loop(tmp_path, Line()).run(Silent())
    assert not (tmp_path / "touched").exists()


def test_nothing_else_is_printed_of_a_strange_pickle(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Torch would warn of the protocol."""
    (tmp_path / "last.pt").write_bytes(pickle.dumps({"standing": 1}, protocol=4))
    with pytest.raises(WeightsError, match="not a readable checkpoint"):
        read_state(tmp_path / "last.pt")
    assert not recwarn.list


def test_a_loss_that_there_was_not_had_no_weight() -> None:
    state = StageState(best=0.5, weights={"old_weight": 1.0})
    assert not state.weigh({"old_weight": 1.0, "new_weight": 0.0})
    assert state.best == 0.5
    assert state.weigh({"old_weight": 1.0, "new_weight": 0.1})
    assert state.best == float("inf")
