"""The training loop on a problem with a known answer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import torch
from line_trainer import Line, Told, loop
from torch import Tensor, nn

from intrinsic_cli.api import Silent, TrainingError, UsageError
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.kit.training.checkpoint import read_state
from intrinsic_cli.kit.training.schedule import Average, set_rate, warmup_cosine


def weight(path: Path) -> float:
    return float(load_weights(path)[0]["line"]["weight"].item())


def stop_after(steps: int):  # type: ignore[no-untyped-def]
    """Something to ask whether to stop: yes from the given call on."""
    asked = iter(range(1, 100000))
    return lambda: next(asked) >= steps


def test_learns_and_tells(tmp_path: Path) -> None:
    state = loop(tmp_path, Line(), steps=200).run(Silent())
    weights, record = load_weights(tmp_path / "best.safetensors")
    assert weights["line"]["weight"].item() == pytest.approx(3, abs=0.05)
    assert state.finished
    assert state.step == 200
    assert record["validation"]["loss"] < 0.01
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "val"] == list(range(20, 201, 20))


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


def test_a_loss_that_is_not_finite_names_step_and_term(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'square' is not finite at step 34"):
        loop(tmp_path, Line(poison=33)).run(Silent())
    assert read_state(tmp_path / "last.pt").step == 30


def test_no_validation_data_is_told(tmp_path: Path) -> None:
    class Blind(Line):
        def batches(self, split: str, start: int = 0) -> Iterable[Mapping[str, Tensor]]:
            return super().batches(split, start) if split == "train" else ()

    with pytest.raises(TrainingError, match="no validation batch"):
        loop(tmp_path, Blind()).run(Silent())


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


def test_a_resumed_state_has_the_scores_of_the_best(tmp_path: Path) -> None:
    first = loop(tmp_path, Line()).run(Silent(), stop_after(25))
    resumed = loop(tmp_path, Line())
    state = resumed.run(Silent(), stop_after(1))
    assert state.scores == first.scores
    assert 0 < state.best < math.inf
    assert state.seconds >= first.seconds


def test_processes_of_other_rank_draw_other_numbers(tmp_path: Path) -> None:
    nets = []
    for rank in (0, 1):
        trainer = Line()
        loop(tmp_path / str(rank), trainer, rank=rank, steps=3).run(Silent())
        nets.append(trainer.net.weight.item())
    assert nets[0] != nets[1]
    assert not (tmp_path / "1" / "last.pt").exists(), "only the leading process saves"
    assert not (tmp_path / "1" / "log.jsonl").exists()


def test_every_step_draws_its_own_numbers(tmp_path: Path) -> None:
    drawn = []

    class Drawing(Line):
        def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
            drawn.append((number, torch.rand(1).item()))
            return super().step(batch, minimise, number)

    loop(tmp_path / "a", Drawing(), steps=4, val_every=1).run(Silent())
    loop(tmp_path / "b", Drawing(), steps=4, seed=1).run(Silent())
    assert [number for number, _ in drawn] == [0, 1, 2, 3] * 2
    assert len({value for _, value in drawn}) == 8


class Modes(Line):
    """Notes in which mode and with which weights it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.learning: list[bool] = []
        self.scoring: list[tuple[bool, bool, float]] = []

    def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
        self.learning.append(self.net.training)
        return super().step(batch, minimise, number)

    def validate(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        told = (self.net.training, torch.is_grad_enabled(), self.net.weight.item())
        self.scoring.append(told)
        return super().validate(batch)


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


class Clock:
    """Half a minute passes at every look."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 30
        return self.now


@pytest.mark.parametrize(("minutes", "saved"), [(5.0, True), (0.0, False)])
def test_checkpoints_come_by_time_too(tmp_path: Path, minutes: float, saved: bool) -> None:
    class Looking(Line):
        found = False

        def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
            self.found = self.found or (tmp_path / "last.pt").exists()
            return super().step(batch, minimise, number)

    trainer = Looking()
    loop(tmp_path, trainer, clock=Clock(), save_every=500, save_minutes=minutes, val_every=500).run(
        Silent()
    )
    assert trainer.found is saved


def test_the_rest_of_the_time_is_guessed_once(tmp_path: Path) -> None:
    told = Told()
    loop(tmp_path, Line(), clock=Clock()).run(told)
    guesses = [note for note in told.notes if "min to go" in note]
    assert len(guesses) == 1
    assert told.steps == 60


def test_gradients_are_clipped(tmp_path: Path) -> None:
    class Steep(Line):
        def __init__(self) -> None:
            super().__init__()
            self.optimizers = {"line": torch.optim.SGD(self.net.parameters(), 1.0)}

        def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
            loss = 100 * self.net.weight.sum()
            minimise(loss, "line")
            return {"loss": loss.detach()}

    moved = {}
    for clip in (0.5, 0.0):
        trainer = Steep()
        before = trainer.net.weight.item()
        loop(tmp_path / str(clip), trainer, steps=1, warmup=0, clip=clip).run(Silent())
        moved[clip] = before - trainer.net.weight.item()
    assert moved == {0.5: pytest.approx(0.5, rel=1e-3), 0.0: pytest.approx(100, rel=1e-3)}


def test_rates_follow_the_schedule(tmp_path: Path) -> None:
    rates = []

    class Watching(Line):
        def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
            rates.append(self.optimizers["line"].param_groups[0]["lr"])
            return super().step(batch, minimise, number)

    loop(tmp_path, Watching(), warmup=4).run(Silent())
    assert rates == pytest.approx([0.1 * warmup_cosine(step, 60, 4) for step in range(60)])


def test_a_trainer_bounds_its_own_steps(tmp_path: Path) -> None:
    class Short(Line):
        steps = 3

    assert loop(tmp_path, Short()).run(Silent()).step == 3


def test_losses_of_single_steps_are_shown_as_means(tmp_path: Path) -> None:
    class Counting(Line):
        def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
            rare = {"rare": torch.tensor(5.0)} if number == 1 else {}
            return {"number": torch.tensor(float(number)), **rare}

    loop(tmp_path, Counting(), steps=4).run(Silent())
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert (line["kind"], line["step"], line["number"], line["rare"]) == ("train", 4, 1.5, 5.0)


def test_a_rate_is_scaled_from_its_own_peak() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.2)
    for factor in (0.5, 1.0, 0.25):
        set_rate(optimizer, factor)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.2 * factor)


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
