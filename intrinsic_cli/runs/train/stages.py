"""Every stage of a run through the one loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrinsic_cli import weights
from intrinsic_cli.api import Progress, Runtime, Source, Trainer, TrainingError
from intrinsic_cli.registry import open_method
from intrinsic_cli.requests import TrainRequest
from intrinsic_cli.runs.train.initial import initial_weights, take_over
from intrinsic_cli.runs.train.plan import Run

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState
    from intrinsic_cli.kit.training.checkpoint import StageState
    from intrinsic_cli.kit.training.distributed import Processes
    from intrinsic_cli.kit.training.loop import Loop

#: A part of the time that is left (0..1) → what says when it is up.
Share = Callable[[float], Callable[[], bool]]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the stages: what each came to by name, whether all are finished, the weights
    of the last one (None: it was not reached), and its nets to ship (none named: all)."""

    stages: Mapping[str, Mapping[str, Any]]
    finished: bool
    weights: Path | None
    inference: frozenset[str] = frozenset()


class Stages:
    """The stages of ``run``, trained one after the other on ``source``."""

    def __init__(
        self,
        run: Run,
        request: TrainRequest,
        source: Source,
        progress: Progress,
        processes: Processes,
    ) -> None:
        from intrinsic_cli.kit.networks.device import pick_device, pick_precision

        self._run, self._source = run, source
        self._progress, self._processes = progress, processes
        self._device = pick_device(request.device)
        self._precision = pick_precision(request.precision, self._device)
        self._method = open_method(run.spec)
        self._parents: dict[str, NetState] = {}
        self._trained: set[str] = set()

    def train(self, stop: Callable[[], bool], share: Share | None = None) -> Outcome:
        """All of them, from where the run was left. With ``share`` each stage has its part of the
        time, so that a run which is too short for all of them still comes to weights."""
        self._parents = initial_weights(self._run)
        self._progress.note(self._introduction())
        told: dict[str, Mapping[str, Any]] = {}
        if not self._train_earlier(stop, share, told):
            return Outcome(told, False, None)
        last = self._run.stages[-1]
        loop, state = self._train_stage(last, stop)
        told[last] = _told(state)
        path = _weights_of(loop)
        found = path if path.exists() else None
        return Outcome(told, state.finished, found, loop.trainer.inference)

    def _train_earlier(
        self,
        stop: Callable[[], bool],
        share: Share | None,
        told: dict[str, Mapping[str, Any]],
    ) -> bool:
        """The stages before the last; what each came to goes to ``told``. False where the run ends
        in one of them."""
        stages = self._run.stages
        for number, stage in enumerate(stages[:-1]):
            stage_stop = stop if share is None else share(1 / (len(stages) - number))
            loop, state = self._train_stage(stage, stage_stop)
            told[stage] = _told(state)
            if not state.finished:
                if not self._goes_on(stop, share):
                    return False
                self._progress.note(_cut_short(stage, state.step, loop.steps))
            self._hand_on(stage, loop)
        return True

    def _train_stage(self, stage: str, stop: Callable[[], bool]) -> tuple[Loop, StageState]:
        """Train a stage; when it breaks down, its error also names the best weights there are."""
        loop = self._loop(stage)
        if self._is_behind(stage):
            return loop, loop.pass_over()
        try:
            return loop, loop.run(self._progress, stop)
        except TrainingError as error:
            if loop.best.exists():
                known = f"the best weights so far are {loop.best}"
                error.hint = f"{error.hint}; {known}" if error.hint else known
            raise

    def _loop(self, stage: str) -> Loop:
        import torch

        from intrinsic_cli.kit.training.loop import Loop
        from intrinsic_cli.kit.training.promises import require_trainer

        run, folder = self._run, self._run.folder / stage
        torch.manual_seed(run.config.seed)
        runtime = Runtime(
            self._device, self._precision, run.config.seed, run.variant.name, dict(self._parents)
        )
        trainer = self._method.trainer(stage, run.config, self._source, runtime)
        require_trainer(trainer, run.title, stage)
        if "init" in self._parents and not (folder / weights.LAST).exists():
            self._take_over(stage, trainer)
        record = {**run.record(), "stage": stage}
        return Loop(trainer, run.config, folder, runtime, record, self._processes)

    def _take_over(self, stage: str, trainer: Trainer) -> None:
        told = take_over(self._run, stage, trainer, self._parents["init"], self._trained)
        if told:
            self._progress.note(told)

    def _is_behind(self, stage: str) -> bool:
        """Has a later stage begun? Then this one stays as it is."""
        later = self._run.stages[self._run.stages.index(stage) + 1 :]
        return any((self._run.folder / name / weights.LAST).exists() for name in later)

    def _goes_on(self, stop: Callable[[], bool], share: Share | None) -> bool:
        """Does the run go on to the next stage although this one was stopped? The leading process
        says so for all."""
        leads = self._processes.leads
        return self._processes.any(leads and share is not None and not stop())

    def _hand_on(self, stage: str, loop: Loop) -> None:
        from intrinsic_cli.kit.networks.checkpoint import load_weights

        self._processes.wait()  # the leading one has written them
        state = load_weights(_weights_of(loop))[0]
        self._parents[stage] = state
        self._trained |= state.keys()

    def _introduction(self) -> str:
        """Device, data, stages and where to look, in one line."""
        run = self._run
        data = ": ".join(filter(None, (run.data, run.counts)))
        stages = ", ".join(run.stages)
        previews = run.folder / "STAGE" / "previews"
        if len(run.stages) == 1:
            previews = run.folder / stages / "previews"
        what = "stage" if len(run.stages) == 1 else "stages"
        return f"{run.title} on {self._device}; data {data}; {what} {stages}; previews: {previews}"


def _weights_of(loop: Loop) -> Path:
    """The best weights of a stage as it stands: those of its stop, where they are better."""
    return loop.stopped if loop.stopped.exists() else loop.best


def _cut_short(stage: str, step: int, steps: int) -> str:
    return (
        f"the time for stage {stage} is up at step {step} of {steps}; going on, so that there will "
        "be weights to install"
    )


def _told(state: StageState) -> dict[str, Any]:
    return {"steps": state.step, "seconds": round(state.seconds, 1), **state.scores}
