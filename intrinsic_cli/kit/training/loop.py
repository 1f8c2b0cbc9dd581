"""The one training loop. Plugins own the step; time, checkpoints, averages and validation are kept
here.

Randomness is drawn anew from (seed, rank, step) at every step, so that a resumed run needs no
generator's state."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from intrinsic_cli.api import Progress, Runtime, TrainConfig, Trainer, TrainingError, UsageError
from intrinsic_cli.kit.files.memory import share_memory
from intrinsic_cli.kit.networks.checkpoint import save_weights, state_of
from intrinsic_cli.kit.networks.device import autocast
from intrinsic_cli.kit.training.batch_workers import batch_of, made_by_workers, worker_count
from intrinsic_cli.kit.training.checkpoint import (
    StageState,
    read_state,
    restore_checkpoint,
    save_checkpoint,
)
from intrinsic_cli.kit.training.distributed import Processes
from intrinsic_cli.kit.training.minimiser import Minimiser
from intrinsic_cli.kit.training.prefetch import prefetch
from intrinsic_cli.kit.training.promises import endless, known_keys, require_numbers
from intrinsic_cli.kit.training.recent_losses import RecentLosses
from intrinsic_cli.kit.training.run_log import RunLog
from intrinsic_cli.kit.training.schedule import Average, warmup_cosine
from intrinsic_cli.kit.training.validation import Validation, at_rest, validate

Batch = Mapping[str, Tensor]

REPORT_EVERY = 2.0  # seconds between looks at the losses, each of which waits for the device
ESTIMATE_AFTER = 10.0  # seconds of training after which the rest can be guessed


class Loop:
    """One stage of one run in ``folder``.

    It leaves ``last.pt`` to continue from, ``best.safetensors`` to use and, where the run was
    stopped with weights better than those, ``stopped.safetensors``."""

    def __init__(
        self,
        trainer: Trainer,
        config: TrainConfig,
        folder: Path,
        runtime: Runtime,
        record: Mapping[str, Any],
        processes: Processes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trainer, self.config, self.folder, self.runtime = trainer, config, folder, runtime
        self.processes = processes or Processes()
        self.steps = min(config.steps, trainer.steps or config.steps)
        self.state = StageState()
        self.last = folder / "last.pt"
        self.best = folder / "best.safetensors"
        self.stopped = folder / "stopped.safetensors"
        self._record, self._clock = record, clock
        self._log, self._losses = RunLog(folder), RecentLosses()
        self._average = Average(trainer.nets, config.ema) if config.ema else None
        self._minimise = Minimiser(trainer, runtime, config.clip, self.processes)
        self._helpers = {"average": self._average, "scaler": self._minimise.scaler}

    def run(self, progress: Progress, stop: Callable[[], bool] = lambda: False) -> StageState:
        """Train until done or until ``stop()``; always leaves a checkpoint. TrainingError if a loss
        or a gradient is not finite, before anything of it is saved."""
        self._begin(progress)
        leads, stopped = self.processes.leads, False
        with closing(self._batches()) as batches:
            while self.state.step < self.steps and not stopped:
                self._step(batches)
                stopped, unsaved, unreported = self._agree(stop())
                validates = self._is_due(self.config.val_every)
                saves = stopped or self._is_due(self.config.save_every) or unsaved
                if validates or saves or unreported:
                    self._report(progress)
                else:
                    progress.advance()
                if validates and leads:
                    self._validate(progress)
                if saves and leads:
                    self._save()
                if stopped and leads and not validates:
                    self._validate_stopped(progress)
        self.processes.wait()
        self.state.finished = self.state.step >= self.steps
        progress.finish()
        return self.state

    def pass_over(self) -> StageState:
        """The state of a stage that is behind: the run went on to the next one."""
        self.state = read_state(self.last)
        self.state.finished = True
        return self.state

    def _begin(self, progress: Progress) -> None:
        """Where the stage was left, or at its beginning."""
        if self.last.exists():
            self.state = restore_checkpoint(self.last, self.trainer, self._helpers)
            self._require_steps_left()
        else:
            self.trainer.setup()
        if self.state.weigh(_weights_of_losses(self.config)):
            progress.note("the losses weigh otherwise than before: the best step is sought anew")
        if self.processes.leads:
            self.stopped.unlink(missing_ok=True)
        self.processes.share_weights(self.trainer.nets)
        for note in self.trainer.notes:
            progress.note(note)
        self._began = self._reported = self._saved = self._clock()
        self._step_before, self._seconds_before = self.state.step, self.state.seconds
        self._estimated = False
        progress.start(self.folder.name, self.steps)
        progress.advance(self.state.step)

    def _require_steps_left(self) -> None:
        done = self.state.step
        if done > self.steps:
            message = f"the stage {self.folder.name!r} is at step {done} already"
            raise UsageError(message, f"it cannot end at step {self.steps}; give --steps {done}")

    def _batches(self) -> Generator[Batch, None, None]:
        """Training batches from the step the stage is at, made ahead of time."""
        step, processes = self.state.step, self.processes
        workers = worker_count(self.config.workers, self.runtime.device, processes.here)
        share_memory(processes.here * max(1, workers))
        if workers:
            return made_by_workers(self.trainer, processes.numbers(step), workers)
        if processes.count == 1:
            return prefetch(self.trainer.batches("train", step))
        made = (batch_of(self.trainer, number) for number in processes.numbers(step))
        return prefetch(chain.from_iterable(made))

    def _next(self, batches: Generator[Batch, None, None]) -> dict[str, Tensor]:
        """The next batch on the device. PluginError where there is none."""
        found = next(batches, None)
        if found is None:
            raise endless(self.trainer, self.state.step)
        return self._to_device(found)

    def _to_device(self, batch: Batch) -> dict[str, Tensor]:
        return {name: x.to(self.runtime.device, non_blocking=True) for name, x in batch.items()}

    def _step(self, batches: Generator[Batch, None, None]) -> None:
        """One step of the plugin's, at this step's learning rate and random numbers."""
        step, config = self.state.step, self.config
        batch = self._next(batches)
        self._minimise.set_rates(warmup_cosine(step, self.steps, config.warmup))
        torch.manual_seed(hash((config.seed, self.processes.rank, step)))
        promise = f"step() of {type(self.trainer).__name__}"
        with autocast(self.runtime.device, self.runtime.precision), known_keys(batch, promise):
            losses = self.trainer.step(batch, self._minimise, step)
        norms = self._minimise.end_step()
        if self._average:
            self._average.update()
        self.state.step += 1
        self.state.seconds = self._seconds_before + self._clock() - self._began
        told = require_numbers(losses, promise)
        self._losses.add(self.state.step, told, norms)

    def _is_due(self, period: int) -> bool:
        return self.state.step == self.steps or self.state.step % period == 0

    def _agree(self, stops: bool) -> list[bool]:
        """Whether to stop, to save and to report now: the same for all processes."""
        return self.processes.any_of([stops, self._saved_long_ago(), self._reported_long_ago()])

    def _saved_long_ago(self) -> bool:
        minutes = self.config.save_minutes
        return minutes > 0 and self._clock() - self._saved >= 60 * minutes

    def _reported_long_ago(self) -> bool:
        return self._clock() - self._reported > REPORT_EVERY

    def _report(self, progress: Progress) -> None:
        """Wait for the device, check every loss and gradient since the last report, and tell the
        losses' means."""
        try:
            means = self._losses.take_means(self.processes.average)
        except TrainingError as error:
            if self.last.exists():
                error.hint = f"the last good checkpoint is {self.last}; {error.hint}"
            raise
        self._reported = self._clock()
        if self.processes.leads:
            self._log.write("train", self.state.step, means, self.state.seconds)
        progress.advance(1, means)
        self._estimate(progress)

    def _estimate(self, progress: Progress) -> None:
        """Once, as soon as it can be guessed: how long the stage will take."""
        elapsed = self._clock() - self._began
        if self._estimated or elapsed < ESTIMATE_AFTER:
            return
        self._estimated = True
        pace = elapsed / (self.state.step - self._step_before)
        minutes = pace * (self.steps - self.state.step) / 60
        if minutes >= 1:
            name = self.folder.name
            progress.note(f"stage {name}: about {minutes:.0f} min to go, {pace:.2g} s a step")

    def _validate(self, progress: Progress) -> None:
        """Score the weights on held-out photos and keep them if there were none better."""
        found = self._score()
        watched = found.scores[self.trainer.watch]
        better = watched < self.state.best
        if better:
            self.state.best, self.state.scores = watched, found.scores
            self._save_weights(self.best, found)
        progress.note(f"step {self.state.step}: {found}{' (best)' if better else ''}")

    def _validate_stopped(self, progress: Progress) -> None:
        """Make the weights at a stop usable, if they are better than any before. They do not count
        as the best: a run that goes on must end as if it had never stopped."""
        found = self._score()
        better = found.scores[self.trainer.watch] < self.state.best
        if better:
            self._save_weights(self.stopped, found)
        progress.note(f"stopped at step {self.state.step}: {found}{' (best)' if better else ''}")

    def _score(self) -> Validation:
        batches = islice(self.trainer.batches("val"), self.config.val_batches)
        on_device = map(self._to_device, batches)
        found = validate(self.trainer, self._average, on_device, self.config.seed)
        self._log.write("val", self.state.step, found.scores, self.state.seconds)
        self._log.preview(self.state.step, found.pictures)
        return found

    def _save_weights(self, path: Path, found: Validation) -> None:
        with at_rest(self.trainer, self._average):
            weights = state_of(self.trainer.nets)
        record = {
            **self._record,
            "step": self.state.step,
            "seconds": round(self.state.seconds, 1),
            "validation": found.scores,
            "watch": self.trainer.watch,
        }
        save_weights(path, weights, record)

    def _save(self) -> None:
        save_checkpoint(self.last, self.state, self.trainer, self._helpers)
        self._saved = self._clock()


def _weights_of_losses(config: TrainConfig) -> dict[str, float]:
    """What validation adds up with: the settings called ``..._weight``."""
    settings = asdict(config)
    return {name: value for name, value in settings.items() if name.endswith("_weight")}
