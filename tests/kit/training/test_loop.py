"""The training loop on a problem with a known answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from intrinsic_cli.api import Runtime, Silent, TrainConfig, Trainer, TrainingError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.kit.training.loop import Loop
from intrinsic_cli.kit.training.schedule import Average, warmup_cosine


class Line(Trainer):
    """Learns y = 3 x from noisy batches; draws from torch's generator as real trainers do."""

    def __init__(self, poison: int = -1) -> None:
        torch.manual_seed(0)
        self.net = nn.Linear(1, 1, bias=False)
        self.nets = {"line": self.net}
        self.optimizers = {"line": torch.optim.Adam(self.net.parameters(), 0.1)}
        self.poison, self.prepared = poison, 0

    def setup(self) -> None:
        self.prepared += 1

    def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
        for n in range(start, start + (100000 if split == "train" else 2)):
            x = torch.randn(4, 1, generator=torch.Generator().manual_seed(n))
            yield {"x": x, "n": torch.tensor(n)}

    def step(self, batch: Mapping[str, Tensor], minimise: Any, number: int) -> Mapping[str, Tensor]:
        target = 3 * batch["x"] + 0.01 * torch.randn(4, 1)
        loss = (self.net(batch["x"]) - target).square().mean()
        loss = loss * (float("nan") if int(batch["n"]) == self.poison else 1)
        minimise(loss, "line")
        return {"square": loss.detach()}

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        torch.rand(3)  # a validation that draws must not change the training that follows
        return {"loss": (self.net(batch["x"]) - 3 * batch["x"]).square().mean()}


def fit(folder: Path, trainer: Trainer, **config: Any) -> Loop:
    given = {"steps": 60, "val_every": 20, "save_every": 10, "warmup": 5, "ema": 0.9, **config}
    return Loop(
        trainer, TrainConfig(**given), folder, Runtime(torch.device("cpu")), {"method": "line"}
    )


def test_learns_and_tells(tmp_path: Path) -> None:
    state = fit(tmp_path, Line(), steps=200).run(Silent())
    weights, record = load_weights(tmp_path / "best.safetensors")
    assert weights["line"]["weight"].item() == pytest.approx(3, abs=0.05)
    assert state.finished
    assert state.step == 200
    assert record["validation"]["loss"] < 0.01
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "val"] == list(range(20, 201, 20))


@pytest.mark.parametrize("cut", [1, 7, 20, 33])
def test_stopped_and_resumed_equals_uninterrupted(tmp_path: Path, cut: int) -> None:
    fit(tmp_path / "whole", Line()).run(Silent())
    asked = iter(range(1, 1000))
    first = fit(tmp_path / "cut", Line()).run(Silent(), lambda: next(asked) >= cut)
    assert (first.step, first.finished) == (cut, False)
    resumed = Line()
    fit(tmp_path / "cut", resumed).run(Silent())
    assert resumed.prepared == 0
    whole, cut_up = (
        load_weights(tmp_path / name / "best.safetensors")[0] for name in ("whole", "cut")
    )
    assert torch.equal(whole["line"]["weight"], cut_up["line"]["weight"])
    last = [
        torch.load(tmp_path / name / "last.pt", weights_only=True)["nets"]["line"]
        for name in ("whole", "cut")
    ]
    assert torch.equal(last[0]["weight"], last[1]["weight"])


def test_a_loss_that_is_not_finite_names_step_and_term(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'square' is not finite at step 34"):
        fit(tmp_path, Line(poison=33)).run(Silent())
    assert torch.load(tmp_path / "last.pt", weights_only=True)["standing"][0] == 30


def test_no_validation_data_is_told(tmp_path: Path) -> None:
    class Blind(Line):
        def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
            return super().batches(split, start) if split == "train" else ()

    with pytest.raises(TrainingError, match="no validation batch"):
        fit(tmp_path, Blind()).run(Silent())


def test_average_forgets_the_start_and_swaps_back() -> None:
    net = nn.Linear(1, 1, bias=False)
    average = Average({"net": net}, 0.999)
    for value in (0.0, 10.0, 10.0, 10.0, 10.0):
        net.weight.data.fill_(value)
        average.update()
    with average.applied():
        assert 9 < net.weight.item() < 10
    assert net.weight.item() == 10


def test_average_of_nothing_is_nothing() -> None:
    Average({"net": nn.Identity()}, 0.9).update()


def test_schedule_warms_up_and_decays() -> None:
    rates = [warmup_cosine(step, 1000, 100) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[100] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.01, abs=1e-3)
    assert max(rates) <= 1
