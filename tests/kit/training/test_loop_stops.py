"""Training that is stopped goes on as if it had not been."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import torch
from line_trainer import Line, Modes, Told, loop
from torch import Tensor

from intrinsic_cli.api import Silent, TrainConfig, UsageError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.kit.training.loop import Loop


def stop_after(steps: int):  # type: ignore[no-untyped-def]
    """Something to ask whether to stop: yes from the given call on."""
    asked = iter(range(1, 100000))
    return lambda: next(asked) >= steps


@pytest.mark.parametrize("cut", [1, 7, 20, 33])
def test_stopped_and_resumed_equals_uninterrupted(tmp_path: Path, cut: int) -> None:
    loop(tmp_path / "whole", Line()).run(Silent())
    asked = iter(range(1, 1000))
    first = loop(tmp_path / "cut", Line()).run(Silent(), lambda: next(asked) >= cut)
    assert (first.step, first.finished) == (cut, False)
    resumed = Line()
    loop(tmp_path / "cut", resumed).run(Silent())
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


def test_the_best_score_survives_a_stop(tmp_path: Path) -> None:
    """Weights that were better once are not replaced by worse ones of a resumed run."""
    loop(tmp_path, Line()).run(Silent(), stop_after(45))
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    saved["standing"][2] = 0.0  # better than anything to come
    torch.save(saved, tmp_path / "last.pt")
    before = (tmp_path / "best.safetensors").read_bytes()
    state = loop(tmp_path, Line()).run(Silent())
    assert state.best == 0.0
    assert (tmp_path / "best.safetensors").read_bytes() == before


@dataclass(frozen=True, slots=True)
class Weighed(TrainConfig):
    """Settings of a method with a loss that can weigh more or less."""

    colour_weight: float = 1.0


def test_the_best_score_is_forgotten_where_losses_weigh_otherwise(tmp_path: Path) -> None:
    """What was added up in another way is no measure."""

    def weighed(weight: float) -> Loop:
        stage = loop(tmp_path, Line())
        stage.config = Weighed(**asdict(stage.config), colour_weight=weight)
        return stage

    weighed(1.0).run(Silent(), stop_after(45))
    saved = torch.load(tmp_path / "last.pt", weights_only=True)
    saved["standing"][2] = 0.0
    torch.save(saved, tmp_path / "last.pt")
    told = Told()
    state = weighed(2.0).run(told)
    assert 0 < state.best < math.inf
    assert load_weights(tmp_path / "best.safetensors")[1]["step"] == 60
    assert any("sought anew" in note for note in told.notes)


def test_a_resumed_state_has_the_scores_of_the_best(tmp_path: Path) -> None:
    first = loop(tmp_path, Line()).run(Silent(), stop_after(25))
    resumed = loop(tmp_path, Line())
    state = resumed.run(Silent(), stop_after(1))
    assert state.scores == first.scores
    assert 0 < state.best < math.inf
    assert state.seconds >= first.seconds


def test_a_stopped_stage_leaves_weights_that_do_not_count(tmp_path: Path) -> None:
    stopped = loop(tmp_path, Line())
    told = Told()
    state = stopped.run(told, stop_after(7))
    assert math.isinf(state.best)
    assert not stopped.best.exists()
    assert load_weights(stopped.stopped)[1]["step"] == 7
    assert any(note.startswith("stopped at step 7: loss") for note in told.notes)
    resumed = loop(tmp_path, Line())
    resumed.run(Silent())
    assert not resumed.stopped.exists()


def test_a_stop_at_a_worse_moment_keeps_the_best_alone(tmp_path: Path) -> None:
    class Worse(Line):
        looks = 0.0

        def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
            self.looks += 1
            return {"loss": torch.tensor(self.looks)}

    stopped = loop(tmp_path, Worse())
    stopped.run(Silent(), stop_after(27))
    assert not stopped.stopped.exists()
    assert load_weights(stopped.best)[1]["step"] == 20


def test_a_stop_where_a_validation_is_due_validates_once(tmp_path: Path) -> None:
    trainer = Modes()
    stopped = loop(tmp_path, trainer)
    stopped.run(Silent(), stop_after(20))
    assert len(trainer.scoring) == 2
    assert not stopped.stopped.exists()


def test_a_run_cannot_end_before_the_step_it_is_at(tmp_path: Path) -> None:
    loop(tmp_path, Line(), steps=5).run(Silent())
    with pytest.raises(UsageError, match="is at step 5 already") as caught:
        loop(tmp_path, Line(), steps=4).run(Silent())
    assert "--steps 5" in caught.value.hint
    assert loop(tmp_path, Line(), steps=5).run(Silent()).finished
    assert loop(tmp_path, Line(), steps=6).run(Silent()).step == 6
