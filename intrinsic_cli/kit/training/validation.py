"""How good a stage is on batches it does not learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from intrinsic_cli.api import Trainer, TrainingError
from intrinsic_cli.kit.training.promises import known_keys, require_numbers, require_watched
from intrinsic_cli.kit.training.schedule import Average


@dataclass(frozen=True, slots=True)
class Validation:
    """Mean scores over the batches; ``pictures`` of the first, [B,C,H,W] linear by name."""

    scores: Mapping[str, float]
    pictures: Mapping[str, Tensor]

    def __str__(self) -> str:
        return " ".join(f"{name} {score:.4f}" for name, score in self.scores.items())


def validate(
    trainer: Trainer, average: Average | None, batches: Iterable[Mapping[str, Tensor]], seed: int
) -> Validation:
    """Score ``trainer`` as its weights will be used: averaged, in evaluation mode. TrainingError
    where there is no batch."""
    promise = f"validate() of {type(trainer).__name__}"
    rows: list[Mapping[str, Tensor]] = []
    pictures: Mapping[str, Tensor] = {}
    with at_rest(trainer, average):
        torch.manual_seed(seed)
        for batch in batches:
            with known_keys(batch, promise):
                rows.append(require_numbers(trainer.validate(batch), promise))
                if len(rows) == 1:
                    pictures = trainer.preview(batch)
    if not rows:
        hint = "use a smaller batch_size or more photos"
        raise TrainingError("the dataset has no validation batch", hint)
    scores = {name: _mean([row[name] for row in rows]) for name in rows[0]}
    require_watched(scores, trainer)
    return Validation(scores, pictures)


@contextmanager
def at_rest(trainer: Trainer, average: Average | None) -> Iterator[None]:
    """Averaged weights, evaluation mode and no gradients inside the block; everything as before
    afterwards."""
    modes = {name: net.training for name, net in trainer.nets.items()}
    with torch.no_grad(), average.applied() if average else nullcontext():
        for net in trainer.nets.values():
            net.eval()
        yield
        for name, net in trainer.nets.items():
            net.train(modes[name])


def _mean(numbers: list[Tensor]) -> float:
    return float(torch.stack([number.float() for number in numbers]).mean())
