"""The training loop on a problem with a known answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from line_trainer import Line, Told, loop

from intrinsic_cli.api import Silent, TrainingError
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.networks.checkpoint import load_weights
from intrinsic_cli.kit.training.checkpoint import read_state
from intrinsic_cli.kit.training.schedule import warmup_cosine


def test_learns_and_tells(tmp_path: Path) -> None:
    state = loop(tmp_path, Line(), steps=200).run(Silent())
    weights, record = load_weights(tmp_path / "best.safetensors")
    assert weights["line"]["weight"].item() == pytest.approx(3, abs=0.05)
    assert state.finished
    assert state.step == 200
    assert record["validation"]["loss"] < 0.01
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "val"] == list(range(20, 201, 20))


def test_a_loss_that_is_not_finite_names_step_and_term(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"'square' is not finite at step 34"):
        loop(tmp_path, Line(poison=33)).run(Silent())
    assert read_state(tmp_path / "last.pt").step == 30


class Kinked(Line):
    """In its fourth step a root at 0 gives a loss like any other, and a gradient of NaN."""

    def step(self, batch, minimise, number):  # type: ignore[no-untyped-def]
        loss = (self.net(batch["x"]) - 3 * batch["x"]).square().mean()
        if number == 3:
            loss = loss + (0 * self.net.weight).sqrt().sum()
        minimise(loss, "line")
        return {"square": loss.detach()}


@pytest.mark.parametrize("clip", [1.0, 0.0])
@pytest.mark.parametrize("save_every", [1, 6])
def test_the_last_checkpoint_is_good_where_a_gradient_is_not_finite(
    tmp_path: Path, clip: float, save_every: int
) -> None:
    stage = loop(tmp_path, Kinked(), steps=8, clip=clip, save_every=save_every)
    told = "gradient of optimizer 'line' is not finite at step 4"
    with pytest.raises(TrainingError, match=told) as caught:
        stage.run(Silent())
    assert (tmp_path / "last.pt").exists() is (save_every == 1)
    if save_every == 1:
        assert "the last good checkpoint is" in caught.value.hint
        assert read_state(tmp_path / "last.pt").step == 3
        saved = torch.load(tmp_path / "last.pt", weights_only=True)
        assert saved["nets"]["line"]["weight"].isfinite().all()


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


def test_batch_workers_are_counted_by_the_processes_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is the memory that each may fill."""
    asked = []

    def count(_: int, __: torch.device, processes: int) -> int:
        asked.append(processes)
        return 3 if processes > 1 else 0

    monkeypatch.setattr(memory, "_SHARED", {"processes": 1})
    monkeypatch.setattr(memory, "memory", lambda: 48)

    monkeypatch.setattr("intrinsic_cli.kit.training.loop.worker_count", count)
    stage = loop(tmp_path, Line(), steps=1)
    stage.run(Silent())
    assert memory.room_to_keep() == 12
    stage.processes.here = 4
    stage._batches().close()
    assert memory.room_to_keep() == 1
    assert asked == [1, 4]


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
