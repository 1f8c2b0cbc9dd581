"""Validation: with which weights, on how much, and which weights are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import torch
from line_trainer import Line, Modes, Told, loop
from torch import Tensor

from intrinsic_cli.api import Silent, TrainingError
from intrinsic_cli.kit.networks.checkpoint import load_weights


def weight(path: Path) -> float:
    return float(load_weights(path)[0]["line"]["weight"].item())


def test_no_validation_data_is_told(tmp_path: Path) -> None:
    class Blind(Line):
        def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
            return super().batches(split, start) if split == "train" else ()

    with pytest.raises(TrainingError, match="no validation batch"):
        loop(tmp_path, Blind()).run(Silent())


def test_validation_is_in_evaluation_mode_under_averaged_weights(tmp_path: Path) -> None:
    trainer = Modes()
    loop(tmp_path, trainer, steps=40).run(Silent())
    assert all(trainer.learning)
    assert not any(training or grad for training, grad, _ in trainer.scoring)
    assert trainer.scoring[-1][2] == weight(tmp_path / "best.safetensors")
    assert trainer.scoring[-1][2] != trainer.net.weight.item()
    assert len(trainer.scoring) == 4


def test_no_average_means_the_weights_themselves(tmp_path: Path) -> None:
    trainer = Line()
    loop(tmp_path, trainer, steps=20, ema=0.0).run(Silent())
    assert weight(tmp_path / "best.safetensors") == trainer.net.weight.item()


def test_validation_looks_at_so_many_batches(tmp_path: Path) -> None:
    trainer = Modes()
    loop(tmp_path, trainer, steps=1, val_batches=1).run(Silent())
    assert len(trainer.scoring) == 1


def test_scores_are_means_over_the_batches(tmp_path: Path) -> None:
    class Counting(Line):
        looks = 0

        def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            self.looks += 1
            return {"loss": torch.tensor(float(self.looks))}

    assert loop(tmp_path, Counting(), steps=1).run(Silent()).scores == {"loss": 1.5}


def test_worse_weights_are_not_kept(tmp_path: Path) -> None:
    class Worse(Line):
        looks = 0.0

        def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            self.looks += 1
            return {"loss": torch.tensor(self.looks), "other": torch.tensor(-self.looks)}

    told = Told()
    state = loop(tmp_path, Worse(), steps=40).run(told)
    assert load_weights(tmp_path / "best.safetensors")[1]["step"] == 20
    assert state.scores == {"loss": 1.5, "other": -1.5}
    assert [note.endswith("(best)") for note in told.notes] == [True, False]


def test_a_trainer_may_watch_another_score(tmp_path: Path) -> None:
    class Watching(Line):
        watch = "other"
        looks = 0.0

        def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            self.looks += 1
            return {"loss": torch.tensor(self.looks), "other": torch.tensor(-self.looks)}

    loop(tmp_path, Watching(), steps=40).run(Silent())
    record = load_weights(tmp_path / "best.safetensors")[1]
    assert (record["step"], record["watch"]) == (40, "other")


def test_every_validation_draws_the_same_numbers(tmp_path: Path) -> None:
    class Drawing(Line):
        def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            return {"loss": torch.rand(())}

    scores = {}
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        loop(folder, Drawing(), steps=40, seed=seed).run(Silent())
        lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
        first, second = (line["loss"] for line in lines if line["kind"] == "val")
        assert first == second
        scores[seed] = first
    assert scores[0] != scores[1]
