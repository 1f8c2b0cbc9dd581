"""The one training loop. Plugins own the step; time, checkpoints, averages and validation are kept
here.

Randomness is drawn anew from (seed, rank, step) at every step, so that a resumed run needs no
generator's state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from intrinsic_cli.api import Progress, Runtime, TrainConfig, Trainer, TrainingError
from intrinsic_cli.kit.networks.checkpoint import save_weights, state_of
from intrinsic_cli.kit.networks.device import autocast
from intrinsic_cli.kit.training.distributed import Team
from intrinsic_cli.kit.training.prefetch import ahead
from intrinsic_cli.kit.training.run_log import Journal
from intrinsic_cli.kit.training.schedule import Average, set_rate, warmup_cosine

_TICK = 2.0  # seconds between looks at the losses, each of which waits for the device


@dataclass(slots=True)
class Standing:
    """Where a stage stands: steps done, seconds spent over all calls, best validation so far."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    figures: Mapping[str, float] | None = None
    finished: bool = False


class Fit:
    """One stage of one run in ``folder``: ``last.pt`` to continue from, ``best.safetensors`` to
    use."""

    def __init__(
        self,
        trainer: Trainer,
        config: TrainConfig,
        folder: Path,
        runtime: Runtime,
        record: Mapping[str, Any],
        team: Team | None = None,
    ) -> None:
        self.team = team or Team()
        self.trainer, self.config, self.folder, self.runtime = trainer, config, folder, runtime
        self.steps = min(config.steps, trainer.steps or config.steps)
        self.standing = Standing()
        self._record = record
        self._journal = Journal(folder)
        self._average = Average(trainer.nets, config.ema) if config.ema else None
        self._scaler = torch.amp.GradScaler(enabled=runtime.precision == "fp16")
        self._recent: list[tuple[int, Mapping[str, Tensor]]] = []

    @property
    def last(self) -> Path:
        return self.folder / "last.pt"

    @property
    def best(self) -> Path:
        return self.folder / "best.safetensors"

    def run(self, progress: Progress, stop: Callable[[], bool] = lambda: False) -> Standing:
        """Train until done or until ``stop()``; always leaves a checkpoint. TrainingError if a loss
        is not finite."""
        if self.last.exists():
            self._restore()
        else:
            self.trainer.setup()
        self.team.begin_alike(self.trainer.nets)
        for note in self.trainer.notes:
            progress.note(note)
        began, spent = time.monotonic(), self.standing.seconds
        progress.start(self.folder.name, self.steps)
        progress.advance(self.standing.step)
        tick = began
        batches = self._batches()
        for batch in islice(batches, self.steps - self.standing.step):
            self._step(batch)
            now = time.monotonic()
            self.standing.seconds = spent + now - began
            stopping = self.team.any(stop())
            if (
                now - tick > _TICK
                or stopping
                or self._due(self.config.save_every, self.config.val_every)
            ):
                tick = now
                self._show(progress)
            else:
                progress.advance()
            if self.team.leads and self._due(self.config.val_every):
                self._validate(progress)
            if self.team.leads and (stopping or self._due(self.config.save_every)):
                self._save()
            if stopping:
                break
        batches.close()
        self.team.meet()
        self.standing.finished = self.standing.step >= self.steps
        progress.finish()
        return self.standing

    def _due(self, *periods: int) -> bool:
        step = self.standing.step
        return step == self.steps or any(step % period == 0 for period in periods)

    def _batches(self) -> Generator[Mapping[str, Tensor], None, None]:
        yield from map(self._to_device, ahead(self.trainer.batches("train", self.standing.step)))

    def _to_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: x.to(self.runtime.device, non_blocking=True) for name, x in batch.items()}

    def _step(self, batch: Mapping[str, Tensor]) -> None:
        for optimizer in self.trainer.optimizers.values():
            set_rate(optimizer, warmup_cosine(self.standing.step, self.steps, self.config.warmup))
        torch.manual_seed(hash((self.config.seed, self.team.rank, self.standing.step)))
        with autocast(self.runtime.device, self.runtime.precision):
            losses = self.trainer.step(batch, self._minimise, self.standing.step)
        self._scaler.update() if self._scaler.is_enabled() else None
        if self._average:
            self._average.update()
        self.standing.step += 1
        self._recent.append((self.standing.step, losses))

    def _minimise(self, loss: Tensor, name: str) -> None:
        optimizer = self.trainer.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.runtime.device.type, enabled=False):
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
        self.team.average(optimizer)
        if self.config.clip:
            self._scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(
                [p for g in optimizer.param_groups for p in g["params"]], self.config.clip
            )
        self._scaler.step(optimizer)

    def _show(self, progress: Progress) -> None:
        """Wait for the device once, check every loss since the last look, and report their
        means."""
        names = list(self._recent[-1][1])
        table = torch.stack(
            [torch.stack([losses[n].float() for n in names]) for _, losses in self._recent]
        ).cpu()
        bad = (~torch.isfinite(table)).nonzero()
        if len(bad):
            step, name = self._recent[int(bad[0, 0])][0], names[int(bad[0, 1])]
            hint = (
                f"the last good checkpoint is {self.last}; try a lower learning rate (--set lr=…)"
            )
            raise TrainingError(f"the loss {name!r} is not finite at step {step}", hint)
        facts = dict(zip(names, table.mean(0).tolist(), strict=True))
        if self.team.leads:
            self._journal.write("train", self.standing.step, facts, self.standing.seconds)
        self._recent.clear()
        progress.advance(1, facts)

    def _validate(self, progress: Progress) -> None:
        figures, columns = self._look()
        self._journal.write("val", self.standing.step, figures, self.standing.seconds)
        self._journal.picture(self.standing.step, columns)
        watched = figures[self.trainer.watch]
        if better := watched < self.standing.best:
            self.standing.best, self.standing.figures = watched, figures
            self._save_best(figures)
        text = " ".join(f"{k} {v:.4f}" for k, v in figures.items())
        progress.note(f"step {self.standing.step}: {text}{' (best)' if better else ''}")

    def _look(self) -> tuple[dict[str, float], Mapping[str, Tensor]]:
        """Mean figures over the validation batches, and pictures of the first, under the averaged
        weights."""
        with _quiet(self.trainer, self._average):
            torch.manual_seed(self.config.seed)
            rows: list[Mapping[str, Tensor]] = []
            columns: Mapping[str, Tensor] = {}
            for i, batch in enumerate(islice(self.trainer.batches("val"), self.config.val_batches)):
                batch = self._to_device(batch)
                rows.append(self.trainer.validate(batch))
                columns = columns if i else self.trainer.preview(batch)
        if not rows:
            raise TrainingError(
                "the dataset has no validation batch", "use a smaller batch_size or more photos"
            )
        return {
            k: float(torch.stack([r[k].float() for r in rows]).mean()) for k in rows[0]
        }, columns

    def _save_best(self, figures: Mapping[str, float]) -> None:
        with _quiet(self.trainer, self._average):
            state = state_of(self.trainer.nets)
        facts = {
            "step": self.standing.step,
            "seconds": round(self.standing.seconds, 1),
            "validation": figures,
        }
        save_weights(self.best, state, {**self._record, **facts})

    def _save(self) -> None:
        self._journal.checkpoint(
            self.last,
            {
                "standing": [self.standing.step, self.standing.seconds, self.standing.best],
                "figures": dict(self.standing.figures or {}),
                "nets": {k: net.state_dict() for k, net in self.trainer.nets.items()},
                "optimizers": {k: o.state_dict() for k, o in self.trainer.optimizers.items()},
                "average": self._average.state_dict() if self._average else {},
                "scaler": self._scaler.state_dict(),
            },
        )

    def _restore(self) -> None:
        saved = torch.load(self.last, map_location="cpu", weights_only=True)
        step, seconds, best = saved["standing"]
        self.standing = Standing(int(step), float(seconds), float(best), saved["figures"] or None)
        for name, net in self.trainer.nets.items():
            net.load_state_dict(saved["nets"][name])
        for name, optimizer in self.trainer.optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])
        if self._average:
            self._average.load_state_dict(saved["average"])
        self._scaler.load_state_dict(saved["scaler"])


@contextmanager
def _quiet(trainer: Trainer, average: Average | None) -> Iterator[None]:
    """Averaged weights, evaluation mode and no gradients inside the block; everything as before
    afterwards."""
    modes = {name: net.training for name, net in trainer.nets.items()}
    with torch.no_grad(), average.applied() if average else nullcontext():
        for net in trainer.nets.values():
            net.eval()
        yield
        for name, net in trainer.nets.items():
            net.train(modes[name])
